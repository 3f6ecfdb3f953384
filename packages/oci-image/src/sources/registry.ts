import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import * as z from "zod";
import type { Descriptor } from "../documents.ts";
import { ImageError } from "../errors.ts";
import { type Challenge, parseChallenge } from "./challenge.ts";
import { parseReference, type Reference } from "./reference.ts";
import type { ImageSource } from "./source.ts";

export interface RegistryOptions {
  /** Plain HTTP; by default only on the loopback. */
  readonly insecure?: boolean;
  readonly credentials?: { readonly username: string; readonly password: string };
  readonly signal?: AbortSignal | undefined;
}

const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
/** Of manifests and tokens. */
const MAX_ANSWER_BYTES = 4 * 2 ** 20;
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+)(?::\d+)?$/;

/** Whoever made the token server follows the one or the other specification. */
const tokenAnswer = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** A registry that speaks the OCI distribution specification, 1.0 and 1.1. */
export class RegistrySource implements ImageSource {
  readonly name: string;
  readonly #reference: Reference;
  readonly #options: RegistryOptions;
  readonly #base: string;
  readonly #manifests: Map<string, Buffer> = new Map();
  #authorization: string | undefined;

  /** @throws ImageError KATA_IMAGE_REFERENCE */
  constructor(reference: string, options: RegistryOptions = {}) {
    this.name = reference;
    this.#reference = parseReference(reference);
    this.#options = options;
    const { host, repository } = this.#reference;
    const scheme = (options.insecure ?? LOOPBACK.test(host)) ? "http" : "https";
    this.#base = `${scheme}://${host}/v2/${repository}`;
  }

  async roots(): Promise<readonly Descriptor[]> {
    return [await this.#manifest(this.#reference.version)];
  }

  async blob(descriptor: Descriptor): Promise<Readable> {
    const { digest, mediaType } = descriptor;
    const known = this.#manifests.get(digest);
    if (known !== undefined) return Readable.from([known]);
    if (mediaType !== undefined && MANIFESTS.includes(mediaType)) {
      await this.#manifest(digest);
      return Readable.from([this.#manifests.get(digest) ?? Buffer.alloc(0)]);
    }
    const { body } = await this.#get(`${this.#base}/blobs/${digest}`);
    if (body === null) throw this.#error(`${digest}: an empty answer`);
    return Readable.fromWeb(body);
  }

  async #manifest(version: string): Promise<Descriptor> {
    const response = await this.#get(`${this.#base}/manifests/${version}`, { accept: MANIFESTS.join(", ") });
    const bytes = await this.#bounded(response);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (version.startsWith("sha256:") && version !== digest) {
      throw new ImageError("KATA_IMAGE_DIGEST", `${this.name}: ${version}: what came is ${digest}`);
    }
    this.#manifests.set(digest, bytes);
    return { digest, size: bytes.length, mediaType: response.headers.get("content-type")?.split(";")[0] };
  }

  async #bounded(response: Response): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) throw this.#error("an answer of more than 4 MiB");
        chunks.push(chunk);
      }
    } catch (error) {
      if (error instanceof ImageError) throw error;
      throw this.#error(`the answer broke off: ${(error as Error).message}`, error);
    }
    return Buffer.concat(chunks);
  }

  async #get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const first = await this.#request(url, headers);
    if (first.status !== 401) return this.#answered(first, url);
    await first.body?.cancel();
    this.#authorization = await this.#authorize(first.headers.get("www-authenticate") ?? "");
    return this.#answered(await this.#request(url, headers), url);
  }

  /** Storage elsewhere, to which a registry sends us, does not get our credentials: fetch drops them. */
  async #request(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const authorization = this.#authorization === undefined ? {} : { authorization: this.#authorization };
    return await this.#fetch(url, { ...headers, ...authorization });
  }

  async #fetch(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const { signal = null } = this.#options;
    try {
      return await fetch(url, { headers, signal });
    } catch (error) {
      const { cause, message } = error as Error;
      throw this.#error(cause instanceof Error ? cause.message : message, error);
    }
  }

  async #answered(response: Response, url: string): Promise<Response> {
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404) throw new ImageError("KATA_IMAGE_NOT_FOUND", `${this.name}: ${url} is not there`);
    throw this.#error(`${url} answers ${String(response.status)}`);
  }

  /** The registry says how it wants to know us. */
  async #authorize(header: string): Promise<string> {
    const { credentials } = this.#options;
    const basic =
      credentials === undefined
        ? undefined
        : `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
    const challenge = parseChallenge(header);
    if (challenge?.scheme === "basic" && basic !== undefined) return basic;
    if (challenge?.realm === undefined) throw this.#error("the registry wants credentials");
    return `Bearer ${await this.#token(challenge.realm, challenge, basic)}`;
  }

  async #token(realm: URL, { scope, service }: Challenge, basic: string | undefined): Promise<string> {
    // A token server that is not the registry's equal in safety would get the password in the clear.
    if (realm.protocol !== "https:" && this.#base.startsWith("https:")) {
      throw this.#error(`unsafe token server ${realm.href}`);
    }
    const url = new URL(realm);
    url.searchParams.set("scope", scope ?? `repository:${this.#reference.repository}:pull`);
    if (service !== undefined) url.searchParams.set("service", service);
    const response = await this.#fetch(url.href, basic === undefined ? {} : { authorization: basic });
    if (!response.ok) throw this.#error(`the token server answers ${String(response.status)}`);
    const answer = tokenAnswer.safeParse(parsedOrUndefined(await this.#bounded(response)));
    const token = answer.data?.token ?? answer.data?.access_token;
    if (token === undefined) throw this.#error("the token server gave no token");
    return token;
  }

  #error(reason: string, cause?: unknown): ImageError {
    return new ImageError("KATA_IMAGE_REGISTRY", `${this.name}: ${reason}`, { cause });
  }
}

function parsedOrUndefined(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString());
  } catch {
    return undefined;
  }
}
