import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VmFile } from "@kata-ts/proxy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NO_PROCESS, recordedState, startedState } from "./recorded-state.ts";

const PROCESSES = [
  { pid: 117, startTime: 295_792 },
  { pid: 124, startTime: 295_809 },
];

describe("the recorded state of a VM", () => {
  let directory = "";
  const record = (content: object | string): void => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    writeFileSync(join(directory, VmFile.processes), text);
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "recorded-state-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it.each(["vmm", "qemu"])("has the monitor's process, which a release has recorded as %s", async (name) => {
    record({ processes: PROCESSES, [name]: PROCESSES[1], agentUrl: "vsock://3:1024" });
    const agentUrl = "vsock://3:1024";
    const expected = { dir: directory, agentUrl, processes: PROCESSES, vmm: PROCESSES[1], accelerator: "tcg" };
    expect(await startedState(directory, "tcg")).toEqual(expected);
  });

  it("has what was recorded before the monitor was started, to be ended by", async () => {
    record({ processes: PROCESSES.slice(0, 1) });
    expect(await recordedState(directory, "")).toMatchObject({ processes: PROCESSES.slice(0, 1), vmm: NO_PROCESS });
    await expect(startedState(directory, "")).rejects.toMatchObject({ code: "KATA_PROXY" });
  });

  it.each(["", "[]", '{"processes":[{"pid":"1"}]}'])("has no process where the record is damaged: %s", async (text) => {
    record(text);
    const agentUrl = `unix://${directory}/proxy.sock`;
    expect(await recordedState(directory, "")).toMatchObject({ processes: [], vmm: NO_PROCESS, agentUrl });
  });
});
