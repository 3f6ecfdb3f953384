import type { RuntimeSpec, SpecProcess, SpecUser } from "@kata-ts/agent-protocol";
import { invalidArgument } from "../errors.ts";
import { type AccountFile, type AccountFiles, accountFilesOf } from "./account-files.ts";

/** As many as Linux lets a process have. */
const MAX_GROUPS = 65_536;
const MAX_ID = 2 ** 32 - 2;
const MAX_SHOWN = 100;

/**
 * A process with the user that a text names: `USER` or `USER:GROUP`, each a name or a number, by Docker's rules. Without a group it gets
 * the user's own and all that have the user as a member. Digits are a number, never a name: a container could give a name of digits to root.
 *
 * @param text empty: the process keeps its user
 * @throws AgentRpcError InvalidArgument for a user or a group that the container does not have
 */
export async function processWithUser(process: SpecProcess, text: string, files: AccountFiles): Promise<SpecProcess> {
  if (text === "") return process;
  return { ...process, user: await findUser(text, files) };
}

/** As processWithUser, for the first process of a container that is not there yet. */
export async function withNamedUser(spec: RuntimeSpec, text: string): Promise<RuntimeSpec> {
  if (text === "" || spec.process === undefined) return spec;
  return { ...spec, process: await processWithUser(spec.process, text, accountFilesOf(spec)) };
}

export async function findUser(text: string, files: AccountFiles): Promise<SpecUser> {
  const [user = "", group, ...more] = text.split(":");
  if (more.length > 0 || user === "" || group === "") throw invalidArgument(`${shown(text)} is not USER or USER:GROUP`);
  const account = await find(files, "/etc/passwd", user);
  const uid = isNumeric(user) ? idOf(user) : idOf(account?.[2]);
  if (uid === undefined) throw invalidArgument(`the container's /etc/passwd has no user ${shown(user)}`);
  if (group !== undefined) return { uid, gid: await findGroup(group, files) };
  const gid = idOf(account?.[3]) ?? 0;
  const name = account?.[0];
  const additionalGids = name === undefined ? [] : (await groupsOf(name, files)).filter((other) => other !== gid);
  return { uid, gid, ...(additionalGids.length > 0 && { additionalGids }) };
}

async function findGroup(group: string, files: AccountFiles): Promise<number> {
  const gid = isNumeric(group) ? idOf(group) : idOf((await find(files, "/etc/group", group))?.[2]);
  if (gid === undefined) throw invalidArgument(`the container's /etc/group has no group ${shown(group)}`);
  return gid;
}

/** The line about a name, or about a number. */
async function find(files: AccountFiles, file: AccountFile, key: string): Promise<readonly string[] | undefined> {
  const place = isNumeric(key) ? 2 : 0;
  for (const fields of fieldsOf(await files(file))) if (fields.length >= 3 && fields[place] === key) return fields;
  return undefined;
}

/** Those that have a user among their members. */
async function groupsOf(name: string, files: AccountFiles): Promise<number[]> {
  const found: Set<number> = new Set();
  for (const [, , id, members = ""] of fieldsOf(await files("/etc/group"))) {
    const gid = members.trimEnd().split(",").includes(name) ? idOf(id) : undefined;
    if (gid !== undefined) found.add(gid);
    if (found.size === MAX_GROUPS) break;
  }
  return [...found];
}

/** Line by line: a container's file may have a million of them. */
function* fieldsOf(text: string): Generator<readonly string[]> {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf("\n", from);
    const to = end === -1 ? text.length : end;
    yield text.slice(from, to).split(":");
    from = to + 1;
  }
}

function isNumeric(key: string): boolean {
  return /^\d+$/.test(key);
}

function idOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID ? Number(text) : undefined;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, MAX_SHOWN));
}
