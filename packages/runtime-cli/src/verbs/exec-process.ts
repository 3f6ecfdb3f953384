import type { SpecCapabilities, SpecProcess, SpecUser } from "@kata-ts/agent-protocol";
import { type Options, UsageError } from "../arguments/parse.ts";

/** Of users and groups: the number after it is Linux's for "none". */
export const MAX_ID: number = 2 ** 32 - 2;

/** How a process of exec is to differ from the container's own. */
export interface ProcessWishes {
  readonly terminal: boolean;
  /** Added to the container's own. */
  readonly env?: readonly string[];
  readonly cwd?: string | undefined;
  /** `UID[:GID]`. */
  readonly user?: string | undefined;
  /** Added to the container's own. */
  readonly additionalGids?: readonly number[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string | undefined;
  readonly selinuxLabel?: string | undefined;
  /** Added to the container's own. */
  readonly capabilities?: readonly string[];
}

/** What the options of `exec` ask for. @throws UsageError */
export function wishesOf(options: Options): ProcessWishes {
  return {
    terminal: options.flag("tty"),
    env: options.list("env"),
    cwd: options.text("cwd"),
    user: options.text("user"),
    additionalGids: options.list("additional-gids").map((gid) => numeric(gid, "--additional-gids")),
    noNewPrivileges: options.flag("no-new-privs"),
    apparmorProfile: options.text("apparmor"),
    selinuxLabel: options.text("process-label"),
    capabilities: options.list("cap"),
  };
}

/** A process for `exec`: the container's own, changed by what is asked for, as runc does it. @throws UsageError */
export function processBeside(
  base: SpecProcess | undefined,
  args: readonly string[],
  wishes: ProcessWishes,
): SpecProcess {
  const inherited: SpecProcess = base ?? { cwd: "/" };
  const { apparmorProfile, selinuxLabel, capabilities: caps = [] } = wishes;
  const capabilities = caps.length === 0 ? inherited.capabilities : addCapabilities(inherited.capabilities ?? {}, caps);
  return {
    ...inherited,
    args,
    cwd: wishes.cwd ?? inherited.cwd,
    env: [...(inherited.env ?? []), ...(wishes.env ?? [])],
    user: userFrom(inherited.user ?? { uid: 0, gid: 0 }, wishes),
    terminal: wishes.terminal,
    ...(wishes.noNewPrivileges === true ? { noNewPrivileges: true } : {}),
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
    ...(selinuxLabel === undefined ? {} : { selinuxLabel }),
    ...(capabilities === undefined ? {} : { capabilities }),
  };
}

/**
 * As processBeside, of a container whose user the guest looks up: who is not asked for by number is that user.
 *
 * @throws UsageError for groups to be added to those that the guest finds
 */
export function asOwnUser(
  own: { readonly process: SpecProcess | undefined; readonly user: string | undefined },
  args: readonly string[],
  wishes: ProcessWishes,
): { readonly process: SpecProcess; readonly user: string | undefined } {
  const user = wishes.user === undefined ? own.user : undefined;
  const process = processBeside(own.process, args, wishes);
  if (user === undefined || (wishes.additionalGids ?? []).length === 0) return { process, user };
  if (user === "0") return { process, user: undefined };
  throw new UsageError(`--additional-gids needs --user: the container's is ${user}, whose groups the guest looks up`);
}

/** Groups are added to the container's own. */
function userFrom(inherited: SpecUser, { user, additionalGids: added = [] }: ProcessWishes): SpecUser {
  const additionalGids = [...(inherited.additionalGids ?? []), ...added];
  const base = { ...inherited, ...(additionalGids.length === 0 ? {} : { additionalGids }) };
  if (user === undefined) return base;
  const [uid = "", gid] = user.split(":");
  return { ...base, uid: numeric(uid, "--user"), ...(gid === undefined ? {} : { gid: numeric(gid, "--user") }) };
}

function numeric(text: string, option: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new UsageError(`${option}: "${text}" is not a number`);
  if (Number(text) > MAX_ID) throw new UsageError(`${option}: "${text}" is more than ${String(MAX_ID)}`);
  return Number(text);
}

/**
 * The cgroup of `--cgroup`, below the container's own; undefined where none is asked for. runc's words; the guest has
 * cgroup v2, which has one hierarchy for all controllers.
 *
 * @throws UsageError
 */
export function subgroupOf(texts: readonly string[]): string | undefined {
  const [text, ...more] = texts;
  if (text === undefined) return undefined;
  if (text.includes(":")) {
    throw new UsageError(
      `invalid --cgroup argument: ${text}: the guest has cgroup v2, whose paths have no controllers`,
    );
  }
  if (more.length > 0) throw new UsageError(`invalid --cgroup argument: ${text} (missing <controller>: prefix)`);
  return text;
}

function addCapabilities(sets: SpecCapabilities, added: readonly string[]): SpecCapabilities {
  const plus = (set: readonly string[] | undefined): string[] => [...new Set([...(set ?? []), ...added])];
  return {
    bounding: plus(sets.bounding),
    effective: plus(sets.effective),
    permitted: plus(sets.permitted),
    inheritable: sets.inheritable ?? [],
    ambient: plus(sets.ambient),
  };
}
