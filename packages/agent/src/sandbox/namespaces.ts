import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { inNewNamespace, MountFlag, mount, setHostname, unmount } from "@kata-ts/linux";
import type { SharedNamespaces } from "../container/guest-spec.ts";
import type { Reaper } from "../reaper.ts";

const DIRECTORY = "/run/kata-containers/sandbox-ns";

/** The namespaces that the containers of the sandbox share, kept alive while no container is in them. */
export class SandboxNamespaces {
  readonly shared: SharedNamespaces;
  readonly #pause: ChildProcess | undefined;

  private constructor(shared: SharedNamespaces, pause: ChildProcess | undefined) {
    this.shared = shared;
    this.#pause = pause;
  }

  static create(hostname: string, sharePid: boolean, reaper: Reaper): SandboxNamespaces {
    mkdirSync(DIRECTORY, { recursive: true });
    const ipc = persist("ipc", () => undefined);
    const uts = persist("uts", () => {
      if (hostname !== "") setHostname(hostname);
    });
    const pause = sharePid ? startPause(reaper) : undefined;
    const pid = pause === undefined ? undefined : `/proc/${String(pause.pid)}/ns/pid`;
    return new SandboxNamespaces({ ipc, uts, pid }, pause);
  }

  remove(): void {
    this.#pause?.kill("SIGKILL");
    unmount(`${DIRECTORY}/ipc`);
    unmount(`${DIRECTORY}/uts`);
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
