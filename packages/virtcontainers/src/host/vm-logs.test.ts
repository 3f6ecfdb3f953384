import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VmFile } from "@kata-ts/proxy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { vmLogs } from "./vm-logs.ts";

const EXIT = {
  reason: "qemu-exited",
  phase: "kernel",
  exitCode: null,
  signal: "SIGKILL",
  stderr: ["out"],
  console: [],
};

describe("the logs of a VM", () => {
  let dir = "";

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "vm-logs-"));
  });

  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  it("are its console and its end", async () => {
    expect(await vmLogs({ dir })).toEqual([]);
    writeFileSync(join(dir, VmFile.console), "[    0.1] Linux\r\nkata-agent: ready\n");
    writeFileSync(join(dir, VmFile.exit), ""); // While it runs.
    expect(await vmLogs({ dir })).toHaveLength(2);
    writeFileSync(join(dir, VmFile.exit), JSON.stringify({ ...EXIT, stderr: ["o\u001but"] }));
    expect(await vmLogs({ dir })).toEqual([
      { source: "kernel", text: "[    0.1] Linux" },
      { source: "agent", text: "kata-agent: ready" },
      { source: "vmm", text: "o\\x1but" },
      { source: "runtime", text: "the VM has ended: qemu-exited, SIGKILL; the guest had come to: kernel" },
    ]);
  });

  it.each(['{"reason":"st', "null", JSON.stringify({ ...EXIT, stderr: [7] }), JSON.stringify({ stderr: [] })])(
    "say that the record of its end is damaged: %s",
    async (text) => {
      writeFileSync(join(dir, VmFile.exit), text);
      expect(await vmLogs({ dir })).toEqual([
        {
          source: "runtime",
          text: expect.stringMatching(/^the VM has ended, but its record cannot be read: /) as string,
        },
      ]);
    },
  );
});
