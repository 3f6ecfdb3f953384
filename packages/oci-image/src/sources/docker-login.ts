import { randomBytes } from "node:crypto";
import { lstat, mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { helperFailure, knowsNothing, runHelper } from "./credential-helper.ts";
import {
  addressesOf,
  type DockerConfig,
  dockerConfigFile,
  helperFor,
  keyOf,
  readDockerConfig,
} from "./docker-config.ts";
import { parseReference } from "./reference.ts";
import { RegistrySource } from "./registry.ts";
import type { RegistryOptions } from "./registry-options.ts";

export type LoginOptions = Pick<RegistryOptions, "dockerConfig" | "insecure" | "authorities" | "signal">;

/** A user of a registry, and the password or a token in its place. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

const PRIVATE = 0o600;

/**
 * Asks a registry whether it takes credentials, and keeps them as `docker login` does: by the helper that config.json names,
 * else in config.json itself.
 *
 * @param registry `docker.io`, `localhost:5000`
 * @returns where they are kept: a helper's name, or a file, in which they can be read
 * @throws ImageError KATA_IMAGE_REGISTRY where the registry does not take them: nothing is kept then
 */
export async function logIn(
  registry: string,
  login: Login,
  options: LoginOptions = {},
): Promise<{ readonly helper: string } | { readonly file: string }> {
  const { host } = parseReference(`${registry}/login/check`);
  await new RegistrySource(`${registry}/login/check`, { ...options, credentials: login }).greet();
  const file = dockerConfigFile(options.dockerConfig);
  const config = await readDockerConfig(file);
  const { name } = helperFor(config, host);
  if (name !== undefined) {
    const secret = { ServerURL: keyOf(host), Username: login.username, Secret: login.password };
    const { status, output } = await runHelper(name, "store", JSON.stringify(secret), options.signal);
    if (status !== 0) throw helperFailure(name, status, output);
    return { helper: name };
  }
  const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
  const [old] = addressesOf(config, host);
  await writeConfig(file, { ...config, auths: { ...config.auths, [old ?? keyOf(host)]: { auth } } });
  return { file };
}

/** Forgets the credentials of a registry. @returns false where there are none */
export async function logOut(
  registry: string,
  { dockerConfig, signal }: Pick<LoginOptions, "dockerConfig" | "signal"> = {},
): Promise<boolean> {
  const { host } = parseReference(`${registry}/login/check`);
  const file = dockerConfigFile(dockerConfig);
  const config = await readDockerConfig(file);
  const { name } = helperFor(config, host);
  const inHelper = name !== undefined && (await erase(name, keyOf(host), signal));
  const addresses = addressesOf(config, host);
  if (addresses.length === 0) return inHelper;
  const auths = Object.fromEntries(Object.entries(config.auths ?? {}).filter(([key]) => !addresses.includes(key)));
  await writeConfig(file, { ...config, auths });
  return true;
}

async function erase(name: string, key: string, signal: AbortSignal | undefined): Promise<boolean> {
  const { status, output } = await runHelper(name, "erase", key, signal);
  if (status === 0) return true;
  if (knowsNothing(output)) return false;
  throw helperFailure(name, status, output);
}

/** As a whole, and for its owner alone, who stays the same. A link to it stays one. */
async function writeConfig(file: string, config: DockerConfig): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const place = (await lstat(file).catch(() => undefined))?.isSymbolicLink() === true ? await realpath(file) : file;
  const unfinished = `${place}.${randomBytes(4).toString("hex")}`;
  const old = await stat(place).catch(() => undefined);
  try {
    {
      // By its descriptor: the directory may be another user's, who could put a link in the place of the name.
      await using made = await open(unfinished, "wx", PRIVATE);
      await made.chmod(PRIVATE);
      await made.writeFile(`${JSON.stringify(config, null, "\t")}\n`);
      if (old !== undefined && process.getuid?.() === 0) await made.chown(old.uid, old.gid);
      await made.sync();
    }
    await rename(unfinished, place);
  } finally {
    await rm(unfinished, { force: true });
  }
}
