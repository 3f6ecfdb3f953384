import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { inNewNamespace, MountFlag, mount, setHostname, unmount } from "@kata-ts/linux";
import type { SharedNamespaces } from "../container/guest-spec.ts";
import type { Reaper } from "../reaper.ts";

const DIRECTORY = "/run/kata-containers/sandbox-ns";

/** The namespaces that the containers of the sandbox share, kept alive while no container is in them. */
export class SandboxNamespaces {
  readonly #ipc: string;
  readonly #uts: string;
  readonly #reaper: Reaper;
  #pause: ChildProcess | undefined;

  constructor(hostname: string, reaper: Reaper) {
    mkdirSync(DIRECTORY, { recursive: true });
    this.#reaper = reaper;
    this.#ipc = persist("ipc", () => undefined);
    this.#uts = persist("uts", () => {
      if (hostname !== "") setHostname(hostname);
    });
  }

  /** @param pid whether processes are shared, too: their namespace is made when a container first asks for it */
  shared(pid: boolean): SharedNamespaces {
    const own = { ipc: this.#ipc, uts: this.#uts, pid: undefined };
    if (!pid) return own;
    this.#pause ??= startPause(this.#reaper);
    return { ...own, pid: `/proc/${String(this.#pause.pid)}/ns/pid` };
  }

  remove(): void {
    this.#pause?.kill("SIGKILL");
    unmount(this.#ipc);
    unmount(this.#uts);
  }
}

// A bind mount of the namespace's file keeps it, without a process in it.
function persist(kind: "ipc" | "uts", prepare: () => void): string {
  const path = `${DIRECTORY}/${kind}`;
  writeFileSync(path, "");
  inNewNamespace(kind, () => {
    prepare();
    mount(`/proc/thread-self/ns/${kind}`, path, null, MountFlag.bind);
  });
  return path;
}

// A PID namespace lives as long as its first process, which also has to collect the orphans in it: tini does.
function startPause(reaper: Reaper): ChildProcess {
  const pause = inNewNamespace("pid", () =>
    spawn("/usr/bin/tini-static", ["--", "sleep", "infinity"], { stdio: "ignore" }),
  );
  reaper.leaveToNode(pause);
  return pause;
}
