import type { ImageDefaults } from "./documents.ts";
import { ImageError } from "./errors.ts";
import { readInside } from "./unpack/in-root.ts";

/** A process as the image's author wants it: fits `createContainer` of @kata-ts/virtcontainers. */
export interface ImageProcess {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids?: readonly number[] };
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

/** `user`, `uid`, `user:group`, …: Docker's rules. Without a group, the user's others come with it. */
async function userOf(rootfs: string, text: string): Promise<ImageProcess["user"]> {
  const [user = "", group] = text.split(":");
  const account = user === "" ? await find(rootfs, "/etc/passwd", "0") : await find(rootfs, "/etc/passwd", user);
  const uid = user === "" ? 0 : (number(account?.[2]) ?? number(user));
  const inGroup = group === undefined ? undefined : await find(rootfs, "/etc/group", group);
  const gid = group === undefined ? (number(account?.[3]) ?? 0) : (number(inGroup?.[2]) ?? number(group));
  if (uid === undefined || gid === undefined) {
    throw new ImageError("KATA_IMAGE_FORMAT", `the image has no user ${JSON.stringify(text)}`);
  }
  const others = group === undefined && account?.[0] !== undefined ? await groupsOf(rootfs, account[0]) : [];
  const additionalGids = others.filter((other) => other !== gid);
  return { uid, gid, ...(additionalGids.length > 0 && { additionalGids }) };
}

/** As many as Linux lets a process have. */
const MAX_GROUPS = 65_536;

/** Those that have a user among their members. */
async function groupsOf(rootfs: string, name: string): Promise<number[]> {
  const groups = await linesOf(rootfs, "/etc/group");
  const joined = groups.filter(([, , , members = ""]) => members.split(",").includes(name));
  return [...new Set(joined.flatMap(([, , id]) => number(id) ?? []))].slice(0, MAX_GROUPS);
}

/** The line about a name, or about a number. */
async function find(rootfs: string, database: string, key: string): Promise<readonly string[] | undefined> {
  const fields = await linesOf(rootfs, database);
  return fields.find(([name]) => name === key) ?? fields.find(([, , id]) => id === key);
}

async function linesOf(rootfs: string, database: string): Promise<string[][]> {
  const text = await readInside(rootfs, database).catch(() => Buffer.alloc(0));
  const lines = text.toString().split("\n");
  return lines.map((line) => line.split(":"));
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1 ? Number(text) : undefined;
}
