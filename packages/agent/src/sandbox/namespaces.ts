import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import {
  identifyProcess,
  inNewNamespace,
  MountFlag,
  mount,
  type ProcessIdentity,
  setHostname,
  signalProcess,
  spawnProcess,
  unmount,
} from "@kata-ts/linux";
import type { Mappings, SharedNamespaces } from "../container/guest-spec.ts";

import { type MappedNamespaces, makeMapped, mapLines, wantedUsers } from "./mapped-namespaces.ts";

const DIRECTORY = "/run/kata-containers/sandbox-ns";

/** The namespaces that the containers of the sandbox share, kept alive while no container is in them. */
export class SandboxNamespaces {
  readonly #ipc: string;
  readonly #uts: string;
  readonly #hostname: string;
  readonly #mapped: Map<string, Promise<MappedNamespaces>> = new Map();
  #pause: ProcessIdentity | undefined;

  constructor(hostname: string) {
    this.#hostname = hostname;
    mkdirSync(DIRECTORY, { recursive: true });
    this.#ipc = persist("ipc", () => undefined);
    this.#uts = persist("uts", () => {
      if (hostname !== "") setHostname(hostname);
    });
  }

  /** @param pid whether processes are shared, too: their namespace is made when a container first asks for it */
  shared(pid: boolean): SharedNamespaces {
    const own = { ipc: this.#ipc, uts: this.#uts, pid: undefined };
    if (!pid) return own;
    this.#pause ??= startPause();
    return { ...own, pid: `/proc/${String(this.#pause.pid)}/ns/pid` };
  }

  /**
   * Those of a container whose users are mapped, which it shares with others that have the same mappings. The host's path
   * to another container's says nothing here: that one is the pod's first.
   */
  async sharedBy(spec: RuntimeSpec, pid: boolean): Promise<SharedNamespaces> {
    const wanted = wantedUsers(spec);
    if (wanted === undefined) return this.shared(pid);
    const [first] = this.#mapped.values();
    const made = wanted.joined && first !== undefined ? first : this.#madeFor(wanted.mappings);
    return (await made).shared(pid);
  }

  #madeFor(mappings: Mappings): Promise<MappedNamespaces> {
    const key = JSON.stringify([mapLines(mappings.uidMappings), mapLines(mappings.gidMappings)]);
    const made = this.#mapped.get(key) ?? makeMapped(mappings, this.#hostname);
    this.#mapped.set(key, made);
    made.catch(() => this.#mapped.delete(key));
    return made;
  }

  remove(): void {
    for (const made of this.#mapped.values()) {
      made.then(
        (mapped) => {
          mapped.remove();
        },
        () => undefined,
      );
    }
    if (this.#pause !== undefined) signalProcess(this.#pause, "SIGKILL");
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
function startPause(): ProcessIdentity {
  const nothing = openSync("/dev/null", "r+");
  try {
    const args = ["--", "sleep", "infinity"];
    const start = (): number => spawnProcess("/usr/bin/tini-static", args, [nothing, nothing, nothing]);
    return identifyProcess(inNewNamespace("pid", start));
  } finally {
    closeSync(nothing);
  }
}
