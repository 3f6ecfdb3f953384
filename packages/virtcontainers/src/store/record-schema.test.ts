import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ContainerRecord } from "../ports/store.ts";
import { exampleRecord } from "../testing/example-record.ts";
import { parseRecord } from "./record-schema.ts";

const process = { pid: 10, startTime: 100 };
const hook = { path: "/hook", args: ["hook"], env: ["A=b"], timeout: 3 };

/** With all that a record can have. */
const whole: Required<ContainerRecord> = {
  ...exampleRecord("a"),
  incarnation: "1",
  vm: {
    dir: "/vm",
    agentUrl: "unix:///vm/agent.sock",
    processes: [process],
    vmm: process,
    accelerator: "tcg",
    networkNamespace: "/run/netns/a",
    cgroup: ["/c"],
  },
  shim: process,
  sharedShim: true,
  worker: process,
  cgroup: ["/c"],
  user: "web:more",
  demand: { milliCpus: 1500, memoryMiB: 64 },
  hooks: { poststart: [hook], poststop: [hook] },
};
const needed = Object.keys(exampleRecord("a"));

describe("parseRecord", () => {
  it("reads a record with all that it can have", () => {
    expect(parseRecord(JSON.stringify(whole), "kata.json")).toEqual(whole);
  });

  it.each(Object.keys(whole))("refuses one whose %s is something else, or is not there and needed", (field) => {
    expect(() => parseRecord(JSON.stringify({ ...whole, [field]: -1 }), "kata.json")).toThrow(
      expect.objectContaining({ code: "KATA_STATE_FILE" }) as Error,
    );
    const without = JSON.stringify({ ...whole, [field]: undefined });
    if (needed.includes(field)) expect(() => parseRecord(without, "kata.json")).toThrow(/not a container record/);
    else expect(parseRecord(without, "kata.json")).toEqual(JSON.parse(without));
  });

  it.each([
    ["the record.vm.vmm.pid is not a whole number from 1", { vm: { ...whole.vm, vmm: { ...process, pid: 0 } } }],
    ["the record.vm.processes[0] is not an object", { vm: { ...whole.vm, processes: [10] } }],
    ["the record.hooks.poststop[0].path is not text", { hooks: { poststop: [{}] } }],
    ["the record.annotations.a is not text", { annotations: { a: 1 } }],
    ["the record.demand.memoryMiB is not a number", { demand: { milliCpus: 1 } }],
  ])("says what is wrong: %s", (message, change) => {
    expect(() => parseRecord(JSON.stringify({ ...whole, ...change }), "kata.json")).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ message }) as Error }) as Error,
    );
  });

  it("reads a record that a release of version 1 has written, and updates it to this one", () => {
    const path = join(import.meta.dirname, "..", "..", "test", "records", "version-1.json");
    const read = parseRecord(readFileSync(path, "utf8"), path);
    expect(read).toMatchObject({
      version: 2,
      id: "v1",
      status: "running",
      vm: { vmm: { pid: 124, startTime: 295_809 } },
    });
    expect(read.vm).not.toHaveProperty("qemu");
    expect(parseRecord(JSON.stringify(read), path)).toEqual(read);
  });

  it.each([
    ["0", { version: 0 }],
    ["3", { version: 3 }],
    ["1 whose VM is none", { version: 1, vm: [] }],
    ["1 without the process of its VM", { version: 1, vm: { ...whole.vm, vmm: undefined } }],
  ])("refuses one of version %s", (_what, change) => {
    expect(() => parseRecord(JSON.stringify({ ...whole, ...change }), "kata.json")).toThrow(/not a container record/);
  });
});
