import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Flood, sendFlood, WatchedProgram } from "@kata-ts/fuzzing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 60_000;
const GREETING = '{"QMP": {}}\n{"return": {}, "id": 1}\n';

function* forever(line: string, greeting: string = GREETING): Flood {
  yield Buffer.from(greeting);
  const lines = Buffer.from(line);
  for (;;) yield lines;
}

/** Just within what a line may have. */
const long = (what: string): string => what.repeat(Math.floor((MIB / 4 - 100) / what.length));

describe("a program whose QEMU floods its monitor", () => {
  let directory = "";
  let server: Server;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "monitor-flood-"));
    server = createServer({ pauseOnConnect: true });
    server.listen(join(directory, "qmp.sock"));
  });
  afterEach(() => {
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each<[string, () => Flood]>([
    ["events", () => forever('{"event": "X", "data": {}}\n')],
    ["large events", () => forever(`{"event": "X", "data": {"a": "${long("x")}"}}\n`)],
    ["events of many parts", () => forever(`{"event": "X", "data": {"a": [${long("{},")}{}]}}\n`)],
    ["events that are deep", () => forever(`{"event": "X", "data": ${"[".repeat(4000)}${"]".repeat(4000)}}\n`)],
    ["answers to what was not asked", () => forever('{"return": {}, "id": 77}\n')],
    ["greetings", () => forever(GREETING)],
    ["empty lines", () => forever("\n")],
    ["a line without end", () => forever("x", "")],
    ["what is no JSON", () => forever("x\n")],
  ])("holds little and stays awake: %s", { timeout: TIMEOUT_MS }, async (_, flood) => {
    let connected = once(server, "connection");
    await using program = new WatchedProgram(join(import.meta.dirname, "monitored.ts"), [join(directory, "qmp.sock")]);
    const before = await program.before();
    let sent = 0;
    // Each time that the program gives the connection up, it comes again: five times are enough.
    for (let times = 0; times < 5 && sent < 12 * MIB; times++) {
      const [monitor] = (await connected) as [Socket];
      connected = once(server, "connection");
      monitor.on("error", () => undefined);
      sent += await sendFlood(monitor, flood(), 12 * MIB - sent);
      monitor.destroy();
    }
    expect(sent, "bytes that were taken").toBeGreaterThan(0);
    await program.expectBounded(before);
  });
});
