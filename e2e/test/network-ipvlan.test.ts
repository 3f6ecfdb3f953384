import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runInGuest } from "../harness/guest-program.ts";
import { Kata } from "../harness/kata.ts";
import { rotated } from "../harness/rotation.ts";

describe("ipvlan, where the kernel has it: in a guest of our own", () => {
  expectCleanHost();

  const modes: readonly (readonly [mode: string, noArp: boolean])[] = [
    ["l2", false],
    ["l3", true],
  ];

  it.each(rotated(modes, 2))(
    "mode %s is joined by filters, whatever the model, and given back",
    async (mode, noArp) => {
      await using kata = new Kata();
      const result = await runInGuest(kata, ["ipvlan-program.ts", mode], (spec) => {
        const linux = spec.linux as Record<string, unknown>;
        linux.resources = { devices: [{ allow: true, access: "rwm" }] };
        linux.devices = [{ path: "/dev/net/tun", type: "c", major: 10, minor: 200, fileMode: 0o666, uid: 0, gid: 0 }];
      });
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
    },
  );
});
