import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NotPublishedError, PublishedCopy } from "./published-copy.ts";

let directory = "";
let source = "";
let copied = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "published-"));
  source = join(directory, "source");
  copied = join(directory, "copy");
  for (const path of [source, copied]) mkdirSync(path);
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** As the kubelet does it. */
function publish(version: string, files: Readonly<Record<string, string>>): void {
  const before = readdirSync(source).filter((name) => name.startsWith("..v"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(source, version, name, ".."), { recursive: true });
    writeFileSync(join(source, version, name), content);
  }
  symlinkSync(version, join(source, "..data_tmp"));
  renameSync(join(source, "..data_tmp"), join(source, "..data"));
  const tops = new Set(Object.keys(files).map((name) => name.split("/")[0] ?? ""));
  const links = readdirSync(source).filter((name) => !name.startsWith(".."));
  for (const name of tops) if (!links.includes(name)) symlinkSync(`..data/${name}`, join(source, name));
  for (const name of links) if (!tops.has(name)) rmSync(join(source, name));
  for (const name of before) rmSync(join(source, name), { recursive: true });
}

const read = (name: string): string => readFileSync(join(copied, name), "utf8");

describe("the copy of a published volume", () => {
  it("has files, rights and links, and follows: what is new, changed, and gone", async () => {
    publish("..v1", { key: "one", "deep/key": "below", old: "gone soon" });
    chmodSync(join(source, "..v1/key"), 0o440);
    const copy = new PublishedCopy(source, copied);
    await copy.refresh();
    expect(readdirSync(copied).sort()).toEqual(["..data", "..v1", "deep", "key", "old"]);
    expect([read("key"), read("deep/key"), readlinkSync(join(copied, "key"))]).toEqual(["one", "below", "..data/key"]);
    expect(lstatSync(join(copied, "..v1/key")).mode & 0o7777).toBe(0o440);
    publish("..v2", { key: "two", more: "new" });
    await copy.refresh();
    expect(readdirSync(copied).sort()).toEqual(["..data", "..v2", "key", "more"]);
    expect([read("key"), read("more")]).toEqual(["two", "new"]);
  });

  it("changes nothing while the original does not", async () => {
    publish("..v1", { key: "one" });
    const copy = new PublishedCopy(source, copied);
    await copy.refresh();
    const events: string[] = [];
    using _watcher = Object.assign(
      watch(copied, (event, name) => events.push(`${event} ${String(name)}`)),
      {
        [Symbol.dispose](this: { close(): void }) {
          this.close();
        },
      },
    );
    await copy.refresh();
    publish("..v2", { key: "two" });
    await copy.refresh();
    while (!events.includes("rename ..v1")) await new Promise(setImmediate);
    expect(events.indexOf("rename ..data")).toBeGreaterThan(events.indexOf("rename ..v2"));
    expect(events.filter((event) => event.endsWith(" key"))).toEqual([]);
  });

  it("has the links that are made after the swap", async () => {
    publish("..v1", { key: "one", old: "gone soon" });
    const copy = new PublishedCopy(source, copied);
    await copy.refresh();
    mkdirSync(join(source, "..v2"));
    writeFileSync(join(source, "..v2/late"), "two");
    symlinkSync("..v2", join(source, "..data_tmp"));
    renameSync(join(source, "..data_tmp"), join(source, "..data"));
    await copy.refresh(); // Between the two.
    symlinkSync("..data/late", join(source, "late"));
    for (const name of ["key", "old", "..v1"]) rmSync(join(source, name), { recursive: true });
    await copy.refresh();
    expect(readdirSync(copied).sort()).toEqual(["..data", "..v2", "late"]);
    expect(read("late")).toBe("two");
  });

  it("stays whole when the original changes under it", async () => {
    publish("..v1", { key: "one" });
    const copy = new PublishedCopy(source, copied);
    await copy.refresh();
    rmSync(join(source, "..data"));
    symlinkSync("..v2", join(source, "..data")); // It has been removed again, or is not there yet.
    await expect(copy.refresh()).rejects.toThrow("ENOENT");
    expect(readdirSync(copied).sort()).toEqual(["..data", "..v1", "key"]);
    expect(read("key")).toBe("one");
  });

  it.each<[string, () => void]>([
    [
      "no link to the data",
      () => {
        rmSync(join(source, "..data"));
      },
    ],
    [
      "a link that leads elsewhere",
      () => {
        relink("/etc");
      },
    ],
    [
      "a link that leads further up",
      () => {
        relink("../..");
      },
    ],
    [
      "a link that leads to itself",
      () => {
        relink("..data");
      },
    ],
    [
      "a file beside the links",
      () => {
        writeFileSync(join(source, "file"), "");
      },
    ],
    [
      "a link among the files",
      () => {
        symlinkSync("/etc/passwd", join(source, "..v1/link"));
      },
    ],
    [
      "more than is copied",
      () => {
        truncateSync(join(source, "..v1/key"), 9 * 1024 * 1024);
      },
    ],
  ])("is not made of what has %s", async (_what, spoil) => {
    publish("..v1", { key: "one" });
    spoil();
    await expect(new PublishedCopy(source, copied).refresh()).rejects.toThrow(NotPublishedError);
    expect(readdirSync(copied)).toEqual([]);
  });
});

function relink(target: string): void {
  rmSync(join(source, "..data"));
  symlinkSync(target, join(source, "..data"));
}
