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

/**
 * `user`, `uid`, `user:group`, …: Docker's rules. Without a group, the user's others come with it. Digits are a number, never a
 * name: an image could give a name of digits to root.
 */
async function userOf(rootfs: string, text: string): Promise<ImageProcess["user"]> {
  const [user = "", group] = text.split(":");
  const account = await find(rootfs, "/etc/passwd", user === "" ? "0" : user);
  const uid = idOf(user === "" ? "0" : user, account);
  const inGroup = group === undefined ? undefined : await find(rootfs, "/etc/group", group);
  const gid = group === undefined ? (number(account?.[3]) ?? 0) : idOf(group, inGroup);
  if (uid === undefined || gid === undefined) {
    throw new ImageError("KATA_IMAGE_FORMAT", `the image has no user ${JSON.stringify(text)}`);
  }
  const others = group === undefined && account?.[0] !== undefined ? await groupsOf(rootfs, account[0]) : [];
  const additionalGids = others.filter((other) => other !== gid);
  return { uid, gid, ...(additionalGids.length > 0 && { additionalGids }) };
}

/** What digits say themselves, and the database's line of a name. */
function idOf(key: string, line: readonly string[] | undefined): number | undefined {
  return isNumeric(key) ? number(key) : number(line?.[2]);
}

function isNumeric(key: string): boolean {
  return /^\d+$/.test(key);
}

/** As many as Linux lets a process have. */
const MAX_GROUPS = 65_536;

/** Those that have a user among their members. */
async function groupsOf(rootfs: string, name: string): Promise<number[]> {
  const found: Set<number> = new Set();
  for (const [, , id, members = ""] of await linesOf(rootfs, "/etc/group")) {
    const gid = members.split(",").includes(name) ? number(id) : undefined;
    if (gid !== undefined) found.add(gid);
    if (found.size === MAX_GROUPS) break;
  }
  return [...found];
}

/** The line about a name, or about a number. */
async function find(rootfs: string, database: string, key: string): Promise<readonly string[] | undefined> {
  const place = isNumeric(key) ? 2 : 0;
  for (const fields of await linesOf(rootfs, database)) if (fields[place] === key) return fields;
  return undefined;
}

/** One at a time: an image may have millions. */
async function linesOf(rootfs: string, database: string): Promise<Iterable<string[]>> {
  const text = await readInside(rootfs, database).catch(() => Buffer.alloc(0));
  return fieldsOf(text.toString());
}

function* fieldsOf(text: string): Generator<string[]> {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf("\n", from);
    const to = end === -1 ? text.length : end;
    yield text.slice(from, to).split(":");
    from = to + 1;
  }
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1 ? Number(text) : undefined;
}
