import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { NetworkLog, networkLogs } from "./network-log.ts";

let bundle = "";

function numberIn(line: string): number {
  return Number(/^[\d-]+T[\d:.]+Z refused tcp 192\.0\.2\.1:(\d+)$/.exec(line)?.[1]);
}

const byNumber = (one: string, other: string): number => numberIn(one) - numberIn(other);

beforeEach(() => {
  bundle = mkdtempSync(join(tmpdir(), "network-log-"));
});

afterEach(() => {
  rmSync(bundle, { recursive: true, force: true });
});

it("a network's log keeps the last of what it is given, and no more than two files of a size", () => {
  const log = new NetworkLog(bundle, 1000);
  for (let index = 0; index < 200; index++) log.write(`refused tcp 192.0.2.1:${String(index)}`);
  const files = networkLogs(bundle);
  expect(files).toHaveLength(2);
  for (const file of files) expect(statSync(file).size).toBeLessThanOrEqual(1000);
  const lines = files.flatMap((file) => readFileSync(file, "utf8").trimEnd().split("\n")).sort(byNumber);
  const numbers = lines.map(numberIn);
  expect(numbers).toEqual(numbers.map((_, index) => 200 - numbers.length + index));
  expect(numbers.length).toBeGreaterThan(15);
});

it("a network's log whose bundle is gone is written to in vain, and ends nothing", () => {
  const log = new NetworkLog(bundle, 100);
  rmSync(bundle, { recursive: true });
  for (let index = 0; index < 10; index++) log.write("refused dns example.org");
  expect(networkLogs(bundle)).toEqual([]);
});
