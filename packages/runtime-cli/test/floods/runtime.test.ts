import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  answerByteByByte,
  type Flood,
  FloodingServer,
  forever,
  grpcMessage,
  isHttp2,
  neverWhole,
  ttrpcReply,
  WatchedProgram,
} from "@kata-ts/fuzzing";
import { bootId, identifyProcess } from "@kata-ts/linux";
import { runningRecord } from "@kata-ts/virtcontainers/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 60_000;
const RUNTIME = join(import.meta.dirname, "../../src/bin.ts");

describe("kata-runtime, whose guest's agent floods it", () => {
  let directory = "";
  let path = "";
  let vm: ChildProcess;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "runtime-flood-"));
    path = join(directory, "proxy.sock");
    vm = spawn("/bin/sleep", ["1000"], { stdio: "ignore" });
    await once(vm, "spawn");
    record();
  });
  afterEach(async () => {
    vm.kill("SIGKILL");
    await once(vm, "exit");
    rmSync(directory, { recursive: true, force: true });
  });

  /** A container that runs, as far as its record says. */
  function record(): void {
    const process = identifyProcess(vm.pid ?? 0);
    const own = runningRecord("flooded", { directory, agentUrl: `unix://${path}`, process, bootId: bootId() });
    mkdirSync(join(directory, "root", "flooded"), { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, "root", "flooded", "kata.json"), JSON.stringify(own));
  }

  function runtime(verb: readonly string[]): WatchedProgram {
    return new WatchedProgram(RUNTIME, ["--root", join(directory, "root"), ...verb, "flooded"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  }

  it.each<[string, string[], () => Flood]>([
    ["the same list again and again", ["ps"], () => forever(ttrpcReply(1, Buffer.alloc(16)))],
    ["lists as large as may be", ["ps"], () => forever(ttrpcReply(1, Buffer.alloc(4 * MIB - 64)))],
    ["a list that is never whole", ["ps"], neverWhole],
    [
      "figures of many parts",
      ["events", "--stats"],
      () => forever(ttrpcReply(1, Buffer.from("0a00".repeat(MIB), "hex"))),
    ],
    ["answers to what was not called", ["kill"], () => forever(ttrpcReply(99, Buffer.alloc(0)))],
  ])("holds little and stays awake: by ttrpc, %s", { timeout: TIMEOUT_MS }, async (_, verb, flood) => {
    const measured = Promise.withResolvers<undefined>();
    using guest = await FloodingServer.listen(path, 16 * MIB, async () => {
      await measured.promise;
      return flood();
    });
    await using program = runtime(verb);
    const before = await program.before();
    measured.resolve(undefined);
    await Promise.race([guest.flooded, program.exited()]);
    expect(guest.sentBytes, "bytes that were taken").toBeGreaterThan(0);
    await program.expectBounded(before);
  });

  it("holds little and stays awake: by gRPC, a list byte by byte", { timeout: TIMEOUT_MS }, async () => {
    const measured = Promise.withResolvers<undefined>();
    const answered = Promise.withResolvers<number>();
    using _guest = await FloodingServer.listen(path, 0, async (head, socket) => {
      if (!isHttp2(head)) return "refused";
      await measured.promise;
      void answerByteByByte(socket, head, grpcMessage(2 * MIB).subarray(0, -1)).then(answered.resolve);
      return "served";
    });
    await using program = runtime(["ps"]);
    const before = await program.before();
    measured.resolve(undefined);
    expect(await answered.promise).toBe(2 * MIB + 4);
    await program.expectBounded(before);
  });
});
