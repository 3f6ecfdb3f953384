import { isAlive } from "@kata-ts/linux";
import { NetworkNamespace } from "@kata-ts/netns";
import type { VmState } from "../ports/hypervisor.ts";

/** Keeps a VM's network namespace reachable while its processes are ended. */
export class NamespaceHandles implements Disposable {
  readonly #open: NetworkNamespace[] = [];

  constructor({ processes, networkNamespace }: VmState) {
    const running = processes.filter(isAlive).map(({ pid }) => `/proc/${String(pid)}/ns/net`);
    for (const path of [...running, ...(networkNamespace === undefined ? [] : [networkNamespace])]) this.#add(path);
  }

  get paths(): string[] {
    return this.#open.map(({ path }) => path);
  }

  [Symbol.dispose](): void {
    for (const namespace of this.#open) namespace[Symbol.dispose]();
  }

  #add(path: string): void {
    try {
      this.#open.push(NetworkNamespace.open(path));
    } catch {
      return; // Another path may lead there; if none does, there is nothing left to give back.
    }
  }
}
