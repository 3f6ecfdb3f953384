import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConnectionJournal } from "./journal.ts";

const CONNECTION = {
  model: "tcfilter",
  endpoint: "veth",
  link: "eth0",
  index: 7,
  mac: "02:42:ac:11:00:02",
  mtu: 1500,
  txQueueLength: 0,
  queues: 1,
  tap: "tap7_kata",
  limits: { receive: 0, transmit: 0 },
};
const JOURNAL = { version: 1, namespace: { dev: 4, ino: 9 }, entries: [{ connection: CONNECTION }], closed: false };

describe("the file of a journal", () => {
  let directory: string;
  let journal: ConnectionJournal;

  function written(text: string): void {
    directory = mkdtempSync(join(tmpdir(), "journal-"));
    writeFileSync(join(directory, "network.json"), text);
    journal = new ConnectionJournal(join(directory, "network.json"));
  }

  beforeEach(() => {
    written(JSON.stringify(JOURNAL));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("is read as it was written", () => {
    expect(journal.entries()).toEqual(JOURNAL.entries);
  });

  it.each([
    ["cut off", '{"version":1,"entr'],
    ["empty", ""],
    ["null", "null"],
    ["without its entries", JSON.stringify({ ...JOURNAL, entries: undefined })],
    [
      "of a connection without a tap",
      JSON.stringify({ ...JOURNAL, entries: [{ connection: { ...CONNECTION, tap: undefined } }] }),
    ],
    [
      "of a tap with more words",
      JSON.stringify({ ...JOURNAL, entries: [{ connection: { ...CONNECTION, tap: "t\nlink del" } }] }),
    ],
    ["of an unknown model", JSON.stringify({ ...JOURNAL, entries: [{ connection: { ...CONNECTION, model: "x" } }] })],
  ])("ends a machine and connects nothing where it is damaged: %s", async (_what, text) => {
    rmSync(directory, { recursive: true });
    written(text);
    expect(() => journal.entries()).toThrow(
      expect.objectContaining({
        code: "KATA_NETWORK",
        message: expect.stringContaining("network.json is damaged: ") as string,
      }),
    );
    await journal.close(["/proc/self/ns/net"]);
    expect(journal.entries()).toEqual([]);
  });

  it("is left alone where another version wrote it", async () => {
    rmSync(directory, { recursive: true });
    written(JSON.stringify({ ...JOURNAL, version: 2, entries: {} }));
    expect(() => journal.entries()).toThrow("network.json is of another version");
    await expect(journal.close([])).rejects.toThrow("is of another version");
  });
});
