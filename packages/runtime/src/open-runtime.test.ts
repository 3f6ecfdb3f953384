import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findInstallation } from "./config/installation.ts";
import type { RuntimeContext } from "./context.ts";
import { openForExisting, openRuntime } from "./open-runtime.ts";

const MEMORY = "io.katacontainers.config.hypervisor.default_memory";

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kata-open-"));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function context(config: string | undefined): RuntimeContext {
  const none = (): void => undefined;
  return {
    ...{ root, config, systemdCgroup: false, logOptions: [] },
    installation: findInstallation("/opt/kata-ts/libexec/kata-ts"),
    timeline: { note: none },
    log: { debug: none, warning: none, enableDebug: none, about: none, alsoTo: none },
  };
}

it("goes on with what a sandbox's annotations have changed, for its containers and those that join it, as long as the files are the same", async () => {
  const file = join(root, "configuration.toml");
  writeFileSync(file, "[hypervisor.qemu]\ndefault_memory = 1024\n");
  const given = context(file);
  for (const id of ["sandbox", "member"]) mkdirSync(join(root, id));
  (await openRuntime(given, { annotations: { [MEMORY]: "512" } })).keepConfiguration("sandbox");
  const joined = await openRuntime(given, { sandboxId: "sandbox" });
  joined.keepConfiguration("member");
  const memoryOf = async (id: string): Promise<number> =>
    (await (await openForExisting(given, id)).configuration()).qemu.memoryMiB;
  expect((await joined.configuration()).qemu.memoryMiB).toBe(512);
  expect([await memoryOf("sandbox"), await memoryOf("member"), await memoryOf("other")]).toEqual([512, 512, 1024]);
  writeFileSync(file, "[hypervisor.qemu]\ndefault_memory = 2048\n");
  expect(await memoryOf("sandbox")).toBe(2048);
});
