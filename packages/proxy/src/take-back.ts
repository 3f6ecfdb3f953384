import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ownCommand } from "@kata-ts/linux/arguments";
import { ConnectionJournal, undoRedirectLoopback } from "@kata-ts/netns";
import { RootHelper } from "./root-helper.ts";
import { VmFile } from "./vm-spec.ts";

const OWN_NAMESPACE = "/proc/self/ns/net";

/** Undoes what a VM has changed in the calling thread's network namespace. @param vmDirectory has the notes of it */
export async function takeBack(vmDirectory: string): Promise<void> {
  const note = join(vmDirectory, VmFile.ports);
  const port = portIn(note);
  if (port !== undefined) await undoRedirectLoopback(undefined, port).catch(() => undefined);
  rmSync(note, { force: true });
  await new ConnectionJournal(join(vmDirectory, VmFile.network)).close([OWN_NAMESPACE]);
}

function portIn(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "latin1"));
  } catch {
    return undefined;
  }
}

/** Most VMs without a network have nothing to take back, and no program is started for them. It has a minute: iptables may wait. */
const SCRIPT = `read -r word
case $word in
over) if [ -e "$0/${VmFile.network}" ] || [ -e "$0/${VmFile.ports}" ]; then exec timeout -s KILL 60 "$@" </dev/null; fi ;;
abandoned) exec timeout -s KILL 60 "$@" -abandoned </dev/null ;;
esac`;

/** Takes back what a VM has changed on its host, when this process has no right to do so any more. */
export class TakeBackHelper {
  readonly #helper: RootHelper;

  /** @param command a program and its arguments: kata-proxy with `-take-back`, but in tests */
  constructor(vmDirectory: string, command: readonly string[] = takingBack(vmDirectory)) {
    this.#helper = new RootHelper(SCRIPT, [vmDirectory, ...command]);
  }

  /** @param word `abandoned`: the VM's directory goes, too */
  async takeBack(word: "over" | "abandoned"): Promise<void> {
    this.#helper.say(word);
    await this.#helper.ended;
  }

  /** Nothing is to be taken back: another process does so. */
  dismiss(): Promise<void> {
    return this.#helper.dismiss();
  }
}

function takingBack(vmDirectory: string): string[] {
  return [...ownCommand(), "-take-back", vmDirectory];
}
