// Each test of a file that imports this has a directory, a store and a hypervisor of its own, and an agent that is fake, too.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultSpec, MemoryStore, noCgroups, noNetwork, parseContainerId, statusOf } from "@kata-ts/virtcontainers";
import { FakeAgent, FakeHypervisor, type FakeProgram } from "@kata-ts/virtcontainers/testing";
import { afterEach, beforeEach } from "vitest";
import { loadBundle } from "../src/bundle/load.ts";
import { findInstallation } from "../src/config/installation.ts";
import type { PodOptions } from "../src/pod/pod-options.ts";

export const TYPE = "io.kubernetes.cri.container-type";
export const SANDBOX_ID = "io.kubernetes.cri.sandbox-id";

export let directory = "";
export let agent: FakeAgent;
export let hypervisor: FakeHypervisor;
export let store: MemoryStore;
export let warnings: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kata-pod-"));
  writeFileSync(join(directory, "configuration.toml"), "");
  hypervisor = new FakeHypervisor();
  store = new MemoryStore();
  warnings = [];
  use({});
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

export function use(program: FakeProgram): void {
  agent = new FakeAgent(program);
}

export function options(): PodOptions {
  const none = (): void => undefined;
  return {
    root: join(directory, "root"),
    config: join(directory, "configuration.toml"),
    installation: findInstallation("/opt/kata-ts/libexec/kata-ts"),
    log: { debug: none, warning: (message) => warnings.push(message), enableDebug: none, about: none, alsoTo: none },
    makers: {
      store: () => store,
      hypervisor: () => hypervisor,
      connectAgent: () => () => agent.connect(),
      network: () => noNetwork,
      cgroups: () => noCgroups,
    },
  };
}

export function bundle(annotations: Readonly<Record<string, string>> = {}) {
  const path = mkdtempSync(join(directory, "bundle-"));
  mkdirSync(join(path, "rootfs"));
  const spec = { ...defaultSpec({ args: ["sh"] }), root: { path: "rootfs" }, annotations };
  writeFileSync(join(path, "config.json"), JSON.stringify(spec));
  return loadBundle(path);
}

export async function status(id: string): Promise<string> {
  return statusOf(await store.read(parseContainerId(id)));
}
