import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { processFor } from "./process.ts";

let rootfs = "";

beforeEach(() => {
  rootfs = mkdtempSync(join(tmpdir(), "kata-process-"));
  mkdirSync(join(rootfs, "etc"));
  writeFileSync(
    join(rootfs, "etc/passwd"),
    "root:x:0:0::/:/bin/sh\napp:x:1234:4321::/:/bin/sh\n77:x:0:0::/:/bin/sh\n4294967296:x:0:0::/:/bin/sh\n",
  );
  writeFileSync(
    join(rootfs, "etc/group"),
    "root:x:0:\nadm:x:4:root\ndata:x:33:www,app\napp:x:4321:app\nlogs:x:34:app\nbad:x:y:app\n",
  );
});
afterEach(() => {
  rmSync(rootfs, { recursive: true });
});

it.each<[string, object]>([
  ["app", { uid: 1234, gid: 4321, additionalGids: [33, 34] }],
  ["1234", { uid: 1234, gid: 4321, additionalGids: [33, 34] }],
  ["app:adm", { uid: 1234, gid: 4 }],
  ["app:7", { uid: 1234, gid: 7 }],
  ["99", { uid: 99, gid: 0 }],
  ["", { uid: 0, gid: 0, additionalGids: [4] }],
  ["root", { uid: 0, gid: 0, additionalGids: [4] }],
  ["77", { uid: 77, gid: 0 }],
  ["app:33", { uid: 1234, gid: 33 }],
])("a user %j has the groups that the image gives it", async (User, user) => {
  expect((await processFor(rootfs, { User, Cmd: ["sh"] })).user).toEqual(user);
});

it.each(["4294967296", "4294967295", "99999999999999999999", "app:4294967296", "nobody"])(
  "a user %j, which is none, is not taken for root",
  async (User) => {
    await expect(processFor(rootfs, { User, Cmd: ["sh"] })).rejects.toMatchObject({ code: "KATA_IMAGE_FORMAT" });
  },
);

it("a user is looked for among millions of lines in little memory", async () => {
  const lines = 4 * 2 ** 20 - 100;
  writeFileSync(join(rootfs, "etc/passwd"), `${"\n".repeat(lines)}app:x:1234:4321::/:/bin/sh\n`);
  const before = process.memoryUsage.rss();
  expect((await processFor(rootfs, { User: "app:adm", Cmd: ["sh"] })).user).toEqual({ uid: 1234, gid: 4 });
  expect(process.memoryUsage.rss() - before, "bytes of growth").toBeLessThan(128 * 2 ** 20);
});
