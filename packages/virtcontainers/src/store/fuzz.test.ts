import { fuzz, mutated, throwsOnly } from "@kata-ts/fuzzing";
import { describe } from "vitest";
import { exampleRecord } from "../testing/example-record.ts";
import { parseRecord } from "./record-schema.ts";

describe("fuzz", () => {
  const process = { pid: 10, startTime: 100 };
  const vm = { dir: "/vm", agentUrl: "unix:///vm/s", processes: [process], vmm: process, accelerator: "tcg" };
  const whole = JSON.stringify({ ...exampleRecord("a"), vm, shim: process, worker: process, cgroup: ["/c"] });
  fuzz("records", mutated([whole]), (text) => {
    throwsOnly(["KATA_STATE_FILE"], () => parseRecord(text, "kata.json"));
  });
});
