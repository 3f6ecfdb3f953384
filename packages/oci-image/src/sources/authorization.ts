import * as z from "zod";
import { ImageError } from "../errors.ts";
import { shown } from "../text.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import { type Credentials, dockerCredentials } from "./docker-config.ts";
import type { Answer } from "./http-client.ts";
import type { PatientClient } from "./patient-client.ts";
import type { RegistryOptions } from "./registry-options.ts";
import { bounded, parsedOrUndefined, wordsOf } from "./words.ts";

/** Token servers follow one of two specifications. */
const tokenAnswer = z.object({ token: z.string().optional(), access_token: z.string().optional() });

const CLIENT_ID = "kata-ts";

export interface AuthorizationParts {
  /** For messages. */
  readonly name: string;
  readonly host: string;
  readonly repository: string;
  /** The registry is spoken to by TLS. */
  readonly isSecure: boolean;
  readonly options: RegistryOptions;
}

/** How we are known to a registry, once it has said how it wants to know us. */
export class Authorization {
  readonly #client: PatientClient;
  readonly #parts: AuthorizationParts;
  #value: string | undefined;
  #credentials: Promise<Credentials | undefined> | undefined;

  constructor(client: PatientClient, parts: AuthorizationParts) {
    this.#client = client;
    this.#parts = parts;
  }

  get headers(): { readonly authorization?: string } {
    return this.#value === undefined ? {} : { authorization: this.#value };
  }

  /** @param header WWW-Authenticate. @throws ImageError KATA_IMAGE_REGISTRY */
  async obtain(header: string): Promise<void> {
    const challenges = parseChallenges(header);
    const bearer = challenges.find(({ scheme, parameters }) => scheme === "bearer" && hasRealm(parameters));
    if (bearer !== undefined) {
      this.#value = `Bearer ${await this.#token(bearer)}`;
      return;
    }
    const basic = basicOf(await this.#known());
    const isBasic = challenges.some(({ scheme }) => scheme === "basic");
    if (basic === undefined || !isBasic) {
      const what =
        isBasic || challenges.length === 0 ? "" : ` by ${challenges.map(({ scheme }) => shown(scheme)).join(", ")}`;
      throw this.#error(`the registry wants credentials${what}: docker login ${this.#parts.host} keeps some`);
    }
    this.#value = basic;
  }

  async #token({ parameters }: Challenge): Promise<string> {
    const { repository, isSecure } = this.#parts;
    const url = new URL(parameters.get("realm") ?? "");
    // A token server that is not the registry's equal in safety would get the password in the clear.
    if (url.protocol !== "https:" && isSecure) throw this.#error(`unsafe token server ${shown(url.href)}`);
    const scope = parameters.get("scope") ?? `repository:${repository}:pull`;
    const service = parameters.get("service");
    const wanted = { scope, ...(service === undefined ? {} : { service }) };
    const credentials = await this.#known();
    const answer = await this.#ask(url, wanted, credentials);
    if (answer.status < 200 || answer.status > 299) {
      const words = await wordsOf(answer.body);
      throw this.#error(`the token server answers ${String(answer.status)}${words === "" ? "" : `: ${words}`}`);
    }
    const text = (await bounded(answer.body, this.#parts.name)).toString();
    const found = tokenAnswer.safeParse(parsedOrUndefined(text)).data;
    const token = found?.token ?? found?.access_token;
    // What is no token would be a header of its own.
    if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) throw this.#error("the token server gave no token");
    return token;
  }

  #ask(url: URL, wanted: Readonly<Record<string, string>>, credentials: Credentials | undefined): Promise<Answer> {
    if (credentials !== undefined && "identityToken" in credentials) {
      const grant = { grant_type: "refresh_token", refresh_token: credentials.identityToken, client_id: CLIENT_ID };
      return this.#client.ask(url.href, { form: new URLSearchParams({ ...grant, ...wanted }) });
    }
    for (const [name, value] of Object.entries(wanted)) url.searchParams.set(name, value);
    const basic = basicOf(credentials);
    return this.#client.ask(url.href, basic === undefined ? {} : { headers: { authorization: basic } });
  }

  #known(): Promise<Credentials | undefined> {
    const { host, options } = this.#parts;
    const { credentials, dockerConfig, signal } = options;
    this.#credentials ??=
      credentials === undefined
        ? dockerCredentials(host, { directory: dockerConfig, signal })
        : Promise.resolve(credentials);
    return this.#credentials;
  }

  #error(reason: string): ImageError {
    return new ImageError("KATA_IMAGE_REGISTRY", `${this.#parts.name}: ${reason}`);
  }
}

function hasRealm(parameters: Challenge["parameters"]): boolean {
  const realm = parameters.get("realm");
  return realm !== undefined && URL.canParse(realm);
}

function basicOf(credentials: Credentials | undefined): string | undefined {
  if (credentials === undefined || "identityToken" in credentials) return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
}
