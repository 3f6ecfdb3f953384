import type { SpecCapabilities, SpecProcess, SpecUser } from "@kata-ts/agent-protocol";
import { type Options, UsageError } from "../arguments/parse.ts";

/** A process for `exec`: the container's own, changed by the command line, as runc does it. */
export function processFromOptions(
  base: SpecProcess | undefined,
  args: readonly string[],
  options: Options,
): SpecProcess {
  const inherited: SpecProcess = base ?? { cwd: "/" };
  const caps = options.list("cap");
  const capabilities = caps.length === 0 ? inherited.capabilities : addCapabilities(inherited.capabilities ?? {}, caps);
  const apparmorProfile = options.text("apparmor");
  const selinuxLabel = options.text("process-label");
  return {
    ...inherited,
    args,
    cwd: options.text("cwd") ?? inherited.cwd,
    env: [...(inherited.env ?? []), ...options.list("env")],
    user: userFrom(inherited.user ?? { uid: 0, gid: 0 }, options),
    terminal: options.flag("tty"),
    ...(options.flag("no-new-privs") ? { noNewPrivileges: true } : {}),
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
    ...(selinuxLabel === undefined ? {} : { selinuxLabel }),
    ...(capabilities === undefined ? {} : { capabilities }),
  };
}

/** `uid[:gid]`, by number; groups are added to the container's own. */
function userFrom(inherited: SpecUser, options: Options): SpecUser {
  const text = options.text("user");
  const added = options.list("additional-gids").map((gid) => numeric(gid, "--additional-gids"));
  const additionalGids = [...(inherited.additionalGids ?? []), ...added];
  const base = { ...inherited, ...(additionalGids.length === 0 ? {} : { additionalGids }) };
  if (text === undefined) return base;
  const [uid = "", gid] = text.split(":");
  return { ...base, uid: numeric(uid, "--user"), ...(gid === undefined ? {} : { gid: numeric(gid, "--user") }) };
}

function numeric(text: string, option: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new UsageError(`${option}: "${text}" is not a number`);
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
