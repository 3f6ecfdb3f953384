import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseContainerId } from "../identifiers.ts";
import { exampleRecord } from "../testing/example-record.ts";
import { FileStore } from "./file-store.ts";
import { parseRecord } from "./record-schema.ts";

describe("FileStore", () => {
  let root = "";
  const id = parseContainerId("a");

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "file-store-"));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it("keeps records for root alone, and nothing else beside them", async () => {
    const store = new FileStore(root);
    await store.claim(exampleRecord("a"));
    expect(statSync(join(root, "a")).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, "a", "kata.json")).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(root, "a"))).toEqual(["kata.json"]);
  });

  it("leaves what is not ours alone", async () => {
    const store = new FileStore(root);
    mkdirSync(join(root, "of-runc"));
    writeFileSync(join(root, "of-runc", "state.json"), "{}");
    await expect(store.claim(exampleRecord("of-runc"))).rejects.toMatchObject({ code: "KATA_ID_IN_USE" });
    await store.remove(parseContainerId("of-runc"));
    expect(existsSync(join(root, "of-runc", "state.json"))).toBe(true);
    expect(await store.list()).toEqual([]);
  });

  it("sweeps away what a crash in the middle of a change has left, but nothing that is being made", async () => {
    const store = new FileStore(root);
    await store.claim(exampleRecord("a"));
    const [old, young] = [join(root, "~kata-old"), join(root, "~kata-young")];
    for (const path of [old, young]) mkdirSync(path);
    writeFileSync(join(old, "kata.json"), "{");
    utimesSync(old, 0, 0);
    expect(await store.list()).toEqual(["a"]);
    await store.sweep();
    expect(readdirSync(root).sort()).toEqual(["a", "~kata-young"]);
  });

  it("refuses a record that is garbage, cut off or of another version, by its own error", async () => {
    const store = new FileStore(root);
    await store.claim(exampleRecord("a"));
    const whole = JSON.stringify(exampleRecord("a"));
    for (const text of ["", whole.slice(0, 40), JSON.stringify({ ...exampleRecord("a"), version: 3 })]) {
      writeFileSync(join(root, "a", "kata.json"), text);
      await expect(store.read(id)).rejects.toMatchObject({ code: "KATA_STATE_FILE" });
    }
    await store.remove(id);
    expect(await store.list()).toEqual([]);
  });

  it("believes no record that another user has put there, and removes it all the same", async () => {
    const store = new FileStore(root);
    await store.claim(exampleRecord("a"));
    chownSync(join(root, "a", "kata.json"), 1234, 1234);
    const refused = { code: "KATA_STATE_FILE", message: expect.stringContaining("belongs to uid 1234") as string };
    await expect(store.read(id)).rejects.toMatchObject(refused);
    await expect(store.update(id, (record) => record)).rejects.toMatchObject(refused);
    expect(await store.vmAt(store.locationOf(id))).toBeUndefined();
    await store.remove(id);
    expect(await store.list()).toEqual([]);
  });

  it("reads any text as a record, or refuses it by its own error", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseRecord(text, "kata.json")).toThrow(
          expect.objectContaining({ code: "KATA_STATE_FILE" }) as Error,
        );
      }),
      { numRuns: 2000 },
    );
  });
});
