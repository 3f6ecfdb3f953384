import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fuzz, mutated, mutatedBytes } from "@kata-ts/fuzzing";
import { escapeControls, Tail } from "@kata-ts/linux";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { QmpClient } from "./qmp/client.ts";

describe("fuzz", () => {
  let directory = "";
  let server: Server;
  let answer: Buffer = Buffer.alloc(0);

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "kata-fuzz-"));
    server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(answer);
    });
    server.listen(join(directory, "qmp"));
    await once(server, "listening");
  });

  afterAll(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });

  const session = [
    '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}',
    '{"return": {}, "id": 1}',
    '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "SHUTDOWN", "data": {"guest": true}}',
    '{"return": {"status": "running"}, "id": 2}',
    '{"id": 3, "error": {"class": "GenericError", "desc": "no such device \\u001b[2J"}}',
  ].join("\r\n");
  fuzz("qmp", mutatedBytes([Buffer.from(`${session}\r\n`)]), async (bytes) => {
    answer = bytes;
    const codes: unknown[] = [];
    try {
      await using qmp = await QmpClient.connect(join(directory, "qmp"), { deadlineMs: 5_000 });
      for (const command of ["query-status", "device_add"]) await qmp.execute(command, {}, { deadlineMs: 5_000 });
    } catch (error) {
      codes.push((error as { code?: string }).code);
    }
    for (const code of codes) expect(code).toMatch(/^KATA_QMP_/);
  });

  const boot = "[    0.000000] Linux version 6.1.0\r\n\u001b[31mkata-agent: ready\u001b[0m\r\nüñí\ttab\r\n";
  fuzz("console", mutated([boot]), (text) => {
    const tail = new Tail(64);
    for (const chunk of [text, text]) tail.push(Buffer.from(chunk));
    for (const line of [...tail.lines(10), ...escapeControls(text).split("\n")])
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(tail.lines(10).length).toBeLessThanOrEqual(10);
  });
});
