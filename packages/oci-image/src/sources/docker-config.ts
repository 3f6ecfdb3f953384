import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { ImageError } from "../errors.ts";
import { shown } from "../text.ts";

/** The credentials that a registry is given. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** Exchanged for tokens by the registry's token server. */
  | { readonly identityToken: string };

const configSchema = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});
const helperAnswer = z.object({ Username: z.string(), Secret: z.string() });

const HUB = "registry-1.docker.io";
/** What Docker calls its own registry there. */
const HUB_KEY = "https://index.docker.io/v1/";
const HELPER_DEADLINE_MS = 30_000;
const MAX_ANSWER_BYTES = 65_536;
/** What a helper says where it knows nothing of a registry. */
const NOT_FOUND = /credentials not found/i;

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
  const file = join(directory ?? process.env.DOCKER_CONFIG ?? join(homedir(), ".docker"), "config.json");
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw broken(file, (error as Error).message, error);
  });
  if (text === undefined) return undefined;
  const config = parse(file, text);
  const key = host === HUB ? HUB_KEY : host;
  const helper = config.credHelpers?.[key] ?? (host === HUB ? config.credHelpers?.["docker.io"] : undefined);
  const name = helper ?? config.credsStore;
  if (name !== undefined) {
    const told = await askHelper(name, key, signal);
    if (told !== undefined || helper !== undefined) return told;
  }
  const found = Object.entries(config.auths ?? {}).find(([address]) => address === key || hostOf(address) === host);
  return found === undefined ? undefined : credentialsIn(found[1]);
}

type Entry = NonNullable<z.infer<typeof configSchema>["auths"]>[string];

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

function parse(file: string, text: string): z.infer<typeof configSchema> {
  try {
    return configSchema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error).replaceAll("\n", " ") : "it is no JSON";
    throw broken(file, reason, error);
  }
}

/** `docker-credential-NAME get`: the registry's name in, JSON out. */
async function askHelper(name: string, key: string, signal: AbortSignal | undefined): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name)) throw broken(program, "such a name has no helper");
  const { status, output } = await run(program, key, signal);
  if (status !== 0) {
    if (NOT_FOUND.test(output)) return undefined;
    throw broken(program, output.trim() === "" ? `it ends with ${String(status)}` : output.trim());
  }
  const answer = helperAnswer.safeParse(parsedOrUndefined(output));
  if (!answer.success) throw broken(program, "its answer is not what the protocol has");
  const { Username: username, Secret: secret } = answer.data;
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}

function run(
  program: string,
  input: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly status: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.any([AbortSignal.timeout(HELPER_DEADLINE_MS), ...(signal === undefined ? [] : [signal])]);
    const stdio = ["pipe", "pipe", "inherit"] as const;
    const child = spawn(program, ["get"], { stdio: [...stdio], signal: limit, killSignal: "SIGKILL" });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
    });
    child.on("error", (error) => {
      reject(broken(program, error.name === "AbortError" ? "it was ended: it took too long" : error.message, error));
    });
    child.on("close", (status) => {
      resolve({ status, output: Buffer.concat(chunks).toString() });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

function parsedOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function broken(what: string, reason: string, cause?: unknown): ImageError {
  return new ImageError("KATA_IMAGE_REGISTRY", `credentials of a registry: ${what}: ${shown(reason)}`, { cause });
}
