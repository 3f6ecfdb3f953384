import { processTree } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { commandOf, readRecord } from "../harness/faults/victims.ts";
import { Kata } from "../harness/kata.ts";
import { fieldOf } from "../harness/privileges-of.ts";

/** chown, dac_override, dac_read_search, fowner, fsetid, setgid, setuid, setfcap. */
const OVER_FILES = "00000000800000df";
const NONE = "0000000000000000";

function makesNodes(spec: EditableSpec): void {
  const capabilities = ["CAP_MKNOD"];
  spec.process.capabilities = { bounding: capabilities, effective: capabilities, permitted: capabilities };
  spec.root.readonly = false;
}

const MAKE_NODES = 'for n in "null c 1 3" "disk b 8 0" "pipe p"; do mknod /$n 2>/dev/null && echo "$n"; done; true';

describe("a virtiofsd that its guest has taken over", () => {
  expectCleanHost();

  it("has the capabilities over files alone, and cannot get others", async () => {
    await using kata = new Kata();
    const { vm } = readRecord(kata, await kata.start({ args: ["sleep", "1000"] }));
    const parent = vm.processes.find(({ pid }) => commandOf(pid).includes("virtiofsd"))?.pid ?? 0;
    const daemon = processTree(parent).find((pid) => pid !== parent) ?? 0;
    expect(fieldOf(parent, "CapEff")).toEqual([[NONE]]);
    // A thread that serves a request takes the rights of the user that made it, and has fewer then.
    const capabilities = fieldOf(daemon, "CapPrm");
    expect(capabilities).toContainEqual([OVER_FILES]);
    for (const [set = ""] of capabilities) expect(BigInt(`0x${set}`) & ~BigInt(`0x${OVER_FILES}`)).toBe(0n);
    expect(fieldOf(daemon, "CapBnd")).toEqual([[NONE]]);
    expect(fieldOf(daemon, "NoNewPrivs")).toEqual([["1"]]);
    expect(fieldOf(daemon, "Seccomp")).toEqual([["2"]]);
  });

  it("makes no node of a device on the host, and other nodes", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"], edit: makesNodes });
    expect(await kata.ok(["exec", id, "sh", "-c", MAKE_NODES])).toBe("pipe p");
  });

  it("makes them where the configuration asks for it", async () => {
    await using kata = Kata.configured('[hypervisor.qemu]\nvirtio_fs_extra_args = ["--modcaps=+mknod"]\n');
    const id = await kata.start({ args: ["sleep", "1000"], edit: makesNodes });
    expect(await kata.ok(["exec", id, "sh", "-c", MAKE_NODES])).toBe("null c 1 3\ndisk b 8 0\npipe p");
  });
});
