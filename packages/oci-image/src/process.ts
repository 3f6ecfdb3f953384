import type { ImageDefaults } from "./documents.ts";
import { ImageError } from "./errors.ts";
import { readInside } from "./unpack/in-root.ts";

/** A process as the image's author wants it: fits `createContainer` of @kata-ts/virtcontainers. */
export interface ImageProcess {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number };
}

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * What to run: the image's command, or another one behind its entrypoint. Names of users are looked up in the image.
 *
 * @throws ImageError KATA_IMAGE_FORMAT for an image without a command, or with a user that it does not have
 */
export async function processFor(
  rootfs: string,
  defaults: ImageDefaults,
  command?: readonly string[],
): Promise<ImageProcess> {
  const args = [...(defaults.Entrypoint ?? []), ...(command ?? defaults.Cmd ?? [])];
  if (args.length === 0) throw new ImageError("KATA_IMAGE_FORMAT", "the image has no command: give one");
  const env = [...(defaults.Env ?? [])];
  if (!env.some((variable) => variable.startsWith("PATH="))) env.unshift(PATH);
  const cwd = defaults.WorkingDir ?? "";
  return { args, env, cwd: cwd === "" ? "/" : cwd, user: await userOf(rootfs, defaults.User ?? "") };
}

/** `user`, `uid`, `user:group`, …: Docker's rules. */
async function userOf(rootfs: string, text: string): Promise<ImageProcess["user"]> {
  const [user = "", group] = text.split(":");
  const account = user === "" ? undefined : await find(rootfs, "/etc/passwd", user);
  const uid = user === "" ? 0 : (number(account?.[2]) ?? number(user));
  const inGroup = group === undefined ? undefined : await find(rootfs, "/etc/group", group);
  const gid = group === undefined ? (number(account?.[3]) ?? 0) : (number(inGroup?.[2]) ?? number(group));
  if (uid !== undefined && gid !== undefined) return { uid, gid };
  throw new ImageError("KATA_IMAGE_FORMAT", `the image has no user ${JSON.stringify(text)}`);
}

/** The line about a name, or about a number. */
async function find(rootfs: string, database: string, key: string): Promise<readonly string[] | undefined> {
  const text = await readInside(rootfs, database).catch(() => Buffer.alloc(0));
  const lines = text.toString().split("\n");
  const fields = lines.map((line) => line.split(":"));
  return fields.find(([name]) => name === key) ?? fields.find(([, , id]) => id === key);
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1 ? Number(text) : undefined;
}
