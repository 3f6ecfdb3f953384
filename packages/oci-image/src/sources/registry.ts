import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { SecureContext } from "node:tls";
import type { Descriptor } from "../documents.ts";
import { ImageError } from "../errors.ts";
import { shown } from "../text.ts";
import { trusted } from "./authorities.ts";
import { Authorization } from "./authorization.ts";
import { type Answer, ConnectionLost, HttpClient } from "./http-client.ts";
import { PatientClient } from "./patient-client.ts";
import { supportsProxies, usesProxy } from "./proxies.ts";
import { parseReference, type Reference } from "./reference.ts";
import type { RegistryOptions } from "./registry-options.ts";
import { MAX_WAIT_MS } from "./retry.ts";
import type { ImageSource } from "./source.ts";
import { bounded, wordsOf } from "./words.ts";

const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
const STALL_MS = 30_000;
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/;
/** A registry that speaks the OCI distribution specification, 1.0 and 1.1. */
export class RegistrySource implements ImageSource {
  readonly name: string;
  readonly reference: Reference;
  readonly #options: RegistryOptions;
  readonly #base: string;
  readonly #client: PatientClient;
  readonly #authorization: Authorization;
  readonly #manifests: Map<string, Buffer> = new Map();

  /** @throws ImageError KATA_IMAGE_REFERENCE, and KATA_IMAGE_REGISTRY where a proxy is asked for that this Node cannot use */
  constructor(name: string, options: RegistryOptions = {}) {
    this.name = name;
    this.reference = parseReference(name);
    this.#options = options;
    const { host, repository } = this.reference;
    const scheme = (options.insecure ?? LOOPBACK.test(host)) ? "http" : "https";
    this.#base = `${scheme}://${host}/v2/${repository}`;
    const proxyEnv = usesProxy(scheme, host, process.env) ? process.env : undefined;
    if (proxyEnv !== undefined && !supportsProxies()) {
      throw this.#error(`the environment names a proxy, which Node ${process.version} does not use: 24.5 does`);
    }
    const { stallMs = STALL_MS, signal, authorities = [] } = options;
    const secureContext = (): SecureContext => trusted(host, authorities);
    const client = new HttpClient({ name, stallMs, signal, secureContext, proxyEnv });
    this.#client = new PatientClient(client, options.retry, signal);
    this.#authorization = new Authorization(this.#client, {
      name,
      host,
      repository,
      isSecure: scheme === "https",
      options,
    });
  }

  /** Asks the registry alone, with the credentials that it wants. @throws ImageError KATA_IMAGE_REGISTRY where it does not take them */
  async greet(): Promise<void> {
    const { body } = await this.#get(`${new URL(this.#base).origin}/v2/`, {});
    body.destroy();
  }

  async roots(): Promise<readonly Descriptor[]> {
    return [await this.#manifest(this.reference.version)];
  }

  async blob(descriptor: Descriptor): Promise<Readable> {
    const { digest, mediaType } = descriptor;
    const known = this.#manifests.get(digest);
    if (known !== undefined) return Readable.from([known]);
    if (mediaType !== undefined && MANIFESTS.includes(mediaType)) {
      await this.#manifest(digest);
      return Readable.from([this.#manifests.get(digest) ?? Buffer.alloc(0)]);
    }
    return Readable.from(this.#bytesOf(descriptor), { objectMode: false });
  }

  /** A blob, from where it broke off the last time. */
  async *#bytesOf({ digest, size }: Descriptor): AsyncGenerator<Buffer, void, undefined> {
    const url = `${this.#base}/blobs/${digest}`;
    const tries = this.#client.tries();
    for (let position = 0; ; ) {
      const range = position === 0 ? {} : { range: `bytes=${String(position)}-` };
      const { status, headers, body } = await this.#get(url, range);
      // A registry that knows no ranges sends all of it again.
      let skipped = status === 206 && startOf(headers["content-range"]) === position ? position : 0;
      try {
        for await (const chunk of body as AsyncIterable<Buffer>) {
          const fresh = chunk.subarray(Math.min(chunk.length, position - skipped));
          skipped += chunk.length - fresh.length;
          position += fresh.length;
          skipped += fresh.length;
          if (fresh.length > 0) yield fresh;
        }
        if (position >= size) return;
        throw new Error(`it ends after ${String(position)} of ${String(size)} bytes`);
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        if (!(await tries.again())) throw this.#lost(`${digest}: ${(error as Error).message}`, error);
      }
    }
  }

  async #manifest(version: string): Promise<Descriptor> {
    const { headers, body } = await this.#get(`${this.#base}/manifests/${version}`, { accept: MANIFESTS.join(", ") });
    const bytes = await bounded(body, this.name);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (version.startsWith("sha256:") && version !== digest) {
      throw new ImageError("KATA_IMAGE_DIGEST", `${this.name}: ${version}: what came is ${digest}`);
    }
    this.#manifests.set(digest, bytes);
    return { digest, size: bytes.length, mediaType: headers["content-type"]?.split(";")[0] };
  }

  /** With the authorization that is wanted. */
  async #get(url: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const ask = () => this.#client.ask(url, { headers: { ...headers, ...this.#authorization.headers } });
    let answer = await ask();
    if (answer.status === 401) {
      answer.body.destroy();
      await this.#authorization.obtain(answer.headers["www-authenticate"] ?? "");
      answer = await ask();
    }
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw this.#refusal(url, { ...answer, words: await wordsOf(answer.body) });
  }

  #refusal(
    url: string,
    {
      status,
      words,
      waitMs = 0,
    }: { readonly status: number; readonly words: string; readonly waitMs: number | undefined },
  ): ImageError {
    const said = words === "" ? "" : `: ${words}`;
    if (status === 404) return new ImageError("KATA_IMAGE_NOT_FOUND", `${this.name}: ${url} is not there${said}`);
    if (status === 401) return this.#error(`the registry does not take the credentials${said}`);
    const wait = waitMs > MAX_WAIT_MS ? `; it asks to wait for ${String(Math.ceil(waitMs / 1000))} s` : "";
    return this.#error(`${url} answers ${String(status)}${said}${wait}`);
  }

  #error(reason: string): ImageError {
    return new ImageError("KATA_IMAGE_REGISTRY", `${this.name}: ${reason}`);
  }

  #lost(reason: string, cause: unknown): ImageError {
    return new ConnectionLost("KATA_IMAGE_REGISTRY", `${this.name}: ${shown(reason)}`, { cause });
  }
}

/** Where a 206 begins. */
function startOf(range: string | undefined): number | undefined {
  const start = /^bytes (\d{1,16})-/.exec(range ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}
