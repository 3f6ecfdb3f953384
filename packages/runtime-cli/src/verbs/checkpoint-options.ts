import { resolve } from "node:path";
import { KataError } from "@kata-ts/virtcontainers/records";
import type { Options, OptionTable } from "../arguments/parse.ts";

/** Where runc keeps a checkpoint that it is given no place for: below the current directory. */
const DEFAULT_IMAGE_PATH = "checkpoint";

/** What CRIU needs to know of processes: a saved machine has it with all else. */
const FOR_RUNC = "for callers of runc: not used";
const REFUSED = "refused: a machine is saved whole, at once";

/** The options that `checkpoint` and `restore` share; runc's spellings. */
export const SHARED_OPTIONS: OptionTable = {
  "image-path": { type: "string", value: "DIR", about: "directory of the snapshot, ./checkpoint by default" },
  "work-path": { type: "string", value: "DIR", about: "directory that is given CRIU's statistics" },
  "tcp-established": { type: "boolean", about: FOR_RUNC },
  "ext-unix-sk": { type: "boolean", about: FOR_RUNC },
  "shell-job": { type: "boolean", about: FOR_RUNC },
  "file-locks": { type: "boolean", about: FOR_RUNC },
  "manage-cgroups-mode": { type: "string", value: "MODE", about: FOR_RUNC },
  "empty-ns": { type: "string", multiple: true, value: "NAMESPACE", about: FOR_RUNC },
  "auto-dedup": { type: "boolean", about: FOR_RUNC },
  "lazy-pages": { type: "boolean", about: REFUSED },
};

export const CHECKPOINT_OPTIONS: OptionTable = {
  ...SHARED_OPTIONS,
  "leave-running": { type: "boolean", about: "the container goes on; else it is deleted once it is saved" },
  "tcp-skip-in-flight": { type: "boolean", about: FOR_RUNC },
  "link-remap": { type: "boolean", about: FOR_RUNC },
  "parent-path": { type: "string", value: "DIR", about: REFUSED },
  "pre-dump": { type: "boolean", about: REFUSED },
  "page-server": { type: "string", value: "ADDRESS:PORT", about: REFUSED },
  "status-fd": { type: "string", value: "N", about: REFUSED },
  guard: { type: "boolean", about: "lets the container go on when standard input ends: used by checkpoint itself" },
};

const NOT_AT_ONCE = ["lazy-pages", "parent-path", "pre-dump", "page-server", "status-fd"] as const;

/** The directory of a snapshot, from the current one. */
export function imagePathOf(options: Options): string {
  return resolve(options.text("image-path") ?? DEFAULT_IMAGE_PATH);
}

/** @throws KataError KATA_UNSUPPORTED for what would save or restore a part of it */
export function refusePartial(verb: string, options: Options, known: OptionTable): void {
  for (const name of NOT_AT_ONCE) {
    const option = known[name];
    if (option === undefined) continue;
    const isGiven = option.type === "boolean" ? options.flag(name) : options.text(name) !== undefined;
    if (!isGiven) continue;
    throw new KataError("KATA_UNSUPPORTED", `${verb} --${name}: a virtual machine is saved and restored whole`, {
      hint: "leave it out: what is saved is complete",
    });
  }
}
