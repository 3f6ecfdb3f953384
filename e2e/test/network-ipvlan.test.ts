import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NODE_BINARY } from "../../scripts/lib/paths.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { ROOT } from "../harness/paths.ts";

const EVERYTHING = ["NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_PTRACE", "KILL"].map((name) => `CAP_${name}`);

describe("ipvlan, where the kernel has it: in a guest of our own", () => {
  expectCleanHost();

  it.each([
    ["l2", false],
    ["l3", true],
  ])("mode %s is joined by filters, whatever the model, and given back", async (mode, noArp) => {
    // This machine's own programs, in a container.
    const image = mkdtempSync(join(tmpdir(), "kata-e2e-host-programs-"));
    try {
      for (const name of ["usr", "proc", "sys", "dev", "etc", "tmp"]) mkdirSync(join(image, name));
      for (const name of ["bin", "sbin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(image, name));
      await using kata = new Kata();
      const bundle = await kata.bundle({
        image,
        args: [NODE_BINARY, join(ROOT, "e2e/harness/ipvlan-program.ts"), mode],
        edit: (spec) => {
          const bind = (path: string) => ({ destination: path, type: "bind", source: path, options: ["rbind", "ro"] });
          spec.mounts.push(bind("/usr"), bind(ROOT));
          spec.process.capabilities = { bounding: EVERYTHING, effective: EVERYTHING, permitted: EVERYTHING };
          const linux = spec.linux as Record<string, unknown>;
          linux.readonlyPaths = [];
          linux.maskedPaths = [];
          linux.resources = { devices: [{ allow: true, access: "rwm" }] };
          linux.devices = [{ path: "/dev/net/tun", type: "c", major: 10, minor: 200, fileMode: 0o666, uid: 0, gid: 0 }];
        },
      });
      const result = await kata.run(["run", "--bundle", bundle.path, kata.id()]);
      expect(result.stderr).toBe("");
      const { before, after, ...told } = JSON.parse(result.stdout) as Record<string, string>;
      expect(after).toBe(before);
      expect(told).toEqual({
        kind: "ipvlan",
        noArp,
        model: "tcfilter",
        loss: "0",
        digest: expect.stringMatching(/^[\da-f]{64}$/) as string,
      });
    } finally {
      rmSync(image, { recursive: true });
    }
  });
});
