import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import type { FileOperation } from "@kata-ts/agent-protocol";
import { HostProcessStream, PREFACE_BYTES } from "@kata-ts/agent-protocol/process-stream";
import { Root } from "@kata-ts/tree";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureOf, operate } from "./operate.ts";
import { Transfers } from "./transfers.ts";

describe("an operation with a stream", () => {
  let directory = "";
  let transfers: Transfers;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-transfers-"));
    transfers = new Transfers(failureOf);
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  async function begin(operation: FileOperation, id = "web"): Promise<Buffer> {
    const operated = await operate(new Root(directory), operation);
    if (!("work" in operated)) throw new Error(`${operation.name} has no stream`);
    return transfers.begin(id, operated.work);
  }

  async function open(token: Buffer): Promise<HostProcessStream> {
    const [here, there] = duplexPair();
    const opening = HostProcessStream.open(here, token);
    if (there.readableLength < PREFACE_BYTES) await once(there, "readable");
    there.read(PREFACE_BYTES);
    expect(transfers.serve(there, token)).toBe(true);
    return await opening;
  }

  async function started(operation: FileOperation): Promise<HostProcessStream> {
    return await open(await begin(operation));
  }

  it("carries a file both ways, whole", async () => {
    const content = Buffer.alloc(5_000_001, "0123456789");
    const writing = await started({ name: "write", path: "/big", append: false, exclusive: false, mode: 0o600 });
    writing.stdout.resume();
    writing.stdin.end(content);
    expect(await text(writing.stderr)).toBe("");
    expect(await writing.exited).toBe(0);
    const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
    expect(hash(readFileSync(join(directory, "big")))).toBe(hash(content));
    const reading = await started({ name: "read", path: "/big" });
    expect(hash(await buffer(reading.stdout))).toBe(hash(content));
    expect(await text(reading.stderr)).toBe("");
    expect(await reading.exited).toBe(0);
  });

  it("says why it failed, and goes on with what is sent to it meanwhile", async () => {
    const failing = await started({ name: "write", path: "/no/where", append: false, exclusive: false });
    failing.stdout.resume();
    failing.stdin.on("error", () => undefined).end(Buffer.alloc(3_000_000));
    const report: unknown = JSON.parse(await text(failing.stderr));
    expect(report).toMatchObject({
      failure: { errno: "ENOENT", message: expect.stringContaining("/no/where") as string },
    });
    expect(await failing.exited).toBe(1);
  });

  it("lists a directory, and copies a tree through itself", async () => {
    mkdirSync(join(directory, "from"));
    mkdirSync(join(directory, "to"));
    for (let number = 0; number < 300; number += 1) writeFileSync(join(directory, "from", `${String(number)}\n`), "x");
    const listing = await started({ name: "list", path: "/from", maxEntries: 300 });
    expect((await text(listing.stdout)).trim().split("\n")).toHaveLength(300);
    listing.stderr.resume();
    expect(await listing.exited).toBe(0);
    symlinkSync("300\n", join(directory, "to", "link"));
    const detailed = await started({ name: "list", path: "/to", maxEntries: 1, details: true });
    detailed.stderr.resume();
    expect(JSON.parse(await text(detailed.stdout))).toMatchObject({
      ...{ name: "link", type: "symlink", size: 4, mode: 0o777, uid: 0, gid: 0, target: "300\n" },
      mtimeMs: lstatSync(join(directory, "to", "link")).mtimeMs,
    });
    rmSync(join(directory, "to", "link"));
    const packing = await started({ name: "pack", path: "/from", follow: false });
    const unpacking = await started({ name: "unpack", path: "/to" });
    unpacking.stdout.resume();
    packing.stdout.pipe(unpacking.stdin);
    const entries = (await text(unpacking.stderr))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(entries).toEqual([{ entries: 1 }, { entries: 129 }, { entries: 257 }]);
    packing.stderr.resume();
    expect([await packing.exited, await unpacking.exited]).toEqual([0, 0]);
    expect(readdirSync(join(directory, "to", "from"))).toHaveLength(300);
  });

  it("ends with its stream, with its container, and with what only watches", async () => {
    const watching = await started({ name: "watch", path: "/" });
    const [first] = (await once(watching.stdout, "data")) as [Buffer];
    expect(first.toString()).toBe('{"type":"ready"}\n');
    writeFileSync(join(directory, "made"), "");
    const [change] = (await once(watching.stdout, "data")) as [Buffer];
    expect(change.toString()).toContain('{"type":"rename","name":"made"}');
    await transfers.end("other");
    const before = readdirSync("/proc/self/fd").length;
    await transfers.end("web");
    expect(readdirSync("/proc/self/fd").length).toBeLessThan(before);
    writeFileSync(join(directory, "big"), Buffer.alloc(5_000_000));
    const left = await started({ name: "read", path: "/big" });
    await once(left.stdout, "data");
    left.close();
    const token = await begin({ name: "read", path: "/big" });
    await transfers.end("web");
    expect(transfers.serve(duplexPair()[0], token)).toBe(false);
  });

  it("is not taken on where there are too many", async () => {
    for (let number = 0; number < 64; number += 1) await begin({ name: "list", path: "/", maxEntries: 1 });
    await expect(begin({ name: "list", path: "/", maxEntries: 1 })).rejects.toThrow("64 operations");
    await transfers.end("web");
    await begin({ name: "list", path: "/", maxEntries: 1 });
    await transfers.end("web");
  });
});
