import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { broken, helperFailure, knowsNothing, runHelper } from "./credential-helper.ts";

/** The credentials that a registry is given. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** Exchanged for tokens by the registry's token server. */
  | { readonly identityToken: string };

interface Entry {
  readonly auth?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly identitytoken?: string | undefined;
}

/** Docker's config.json, as far as it is about registries; its other fields are kept as they are. */
export interface DockerConfig {
  readonly auths?: Readonly<Record<string, Entry>> | undefined;
  readonly credHelpers?: Readonly<Record<string, string>> | undefined;
  readonly credsStore?: string | undefined;
}

const entrySchema = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});

const configSchema: z.ZodType<DockerConfig> = z.looseObject({
  auths: z.record(z.string(), entrySchema).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});
const helperAnswer = z.object({ Username: z.string(), Secret: z.string() });

const HUB = "registry-1.docker.io";
/** What Docker calls its own registry there. */
const HUB_KEY = "https://index.docker.io/v1/";

/**
 * What `docker login`, or a credential helper, has for a registry.
 *
 * @param directory of config.json; $DOCKER_CONFIG or ~/.docker by default
 * @throws ImageError KATA_IMAGE_REGISTRY for a file or a helper that is broken
 */
export async function dockerCredentials(
  host: string,
  { directory, signal }: { readonly directory?: string | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Credentials | undefined> {
  const config = await readDockerConfig(dockerConfigFile(directory));
  const key = keyOf(host);
  const { helper, name } = helperFor(config, host);
  if (name !== undefined) {
    const answer = await askHelper(name, key, signal);
    if (answer !== undefined || helper !== undefined) return answer;
  }
  const [found] = addressesOf(config, host);
  return found === undefined ? undefined : credentialsIn(config.auths?.[found] ?? {});
}

/** @param directory $DOCKER_CONFIG or ~/.docker by default */
export function dockerConfigFile(directory: string | undefined): string {
  return join(directory ?? process.env.DOCKER_CONFIG ?? join(homedir(), ".docker"), "config.json");
}

/** With all fields that the file has; empty where there is no file. @throws ImageError KATA_IMAGE_REGISTRY */
export async function readDockerConfig(file: string): Promise<DockerConfig> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "{}";
    throw broken(file, (error as Error).message, error);
  });
  return parse(file, text);
}

/** What the file, and helpers, call a registry. */
export function keyOf(host: string): string {
  return host === HUB ? HUB_KEY : host;
}

/** The credential helper of a registry, and the name of the helper that has its credentials: the registry's own, or the default one. */
export function helperFor(
  { credHelpers, credsStore }: DockerConfig,
  host: string,
): { readonly helper: string | undefined; readonly name: string | undefined } {
  const helper = credHelpers?.[keyOf(host)] ?? (host === HUB ? credHelpers?.["docker.io"] : undefined);
  return { helper, name: helper ?? credsStore };
}

/** The keys that the file itself has a registry's credentials under. The first counts. */
export function addressesOf({ auths = {} }: DockerConfig, host: string): string[] {
  return Object.keys(auths).filter((address) => address === keyOf(host) || hostOf(address) === host);
}

function credentialsIn({ auth, username, password, identitytoken }: Entry): Credentials | undefined {
  if (identitytoken !== undefined && identitytoken !== "") return { identityToken: identitytoken };
  if (username !== undefined && password !== undefined) return { username, password };
  const decoded = Buffer.from(auth ?? "", "base64").toString();
  const colon = decoded.indexOf(":");
  // Docker's own files may end such a text with NUL.
  return colon > 0
    ? { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, "") }
    : undefined;
}

/** Keys are hosts, or addresses of the first version of the protocol. */
function hostOf(address: string): string {
  return address.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

function parse(file: string, text: string): DockerConfig {
  try {
    return configSchema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error).replaceAll("\n", " ") : "it is no JSON";
    throw broken(file, reason, error);
  }
}

/** `docker-credential-NAME get`: the registry's name in, JSON out. */
async function askHelper(name: string, key: string, signal: AbortSignal | undefined): Promise<Credentials | undefined> {
  const { status, output } = await runHelper(name, "get", key, signal);
  if (status !== 0) {
    if (knowsNothing(output)) return undefined;
    throw helperFailure(name, status, output);
  }
  const answer = helperAnswer.safeParse(parsedOrUndefined(output));
  if (!answer.success) throw broken(`docker-credential-${name}`, "its answer is not what the protocol has");
  const { Username: username, Secret: secret } = answer.data;
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}

function parsedOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
