import { describe, expect, it } from "vitest";
import type { AccountFile } from "./account-files.ts";
import { findUser, processWithUser } from "./named-user.ts";

const FILES: Readonly<Record<AccountFile, string>> = {
  "/etc/passwd":
    "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:34::/var/www:/bin/sh\n1000:x:0:0::/:/bin/sh\nbroken\nbad:x:-1:0::\n",
  "/etc/group": "root:x:0:\nwww-data:x:34:www-data\nssl:x:7:other,www-data\nadm:x:8:www-data\r\nbig:x:4294967295:\n",
};
const files = (file: AccountFile): Promise<string> => Promise.resolve(FILES[file]);

describe("a user by name", () => {
  it.each<[string, object]>([
    ["www-data", { uid: 33, gid: 34, additionalGids: [7, 8] }],
    ["www-data:ssl", { uid: 33, gid: 7 }],
    ["www-data:0", { uid: 33, gid: 0 }],
    ["33", { uid: 33, gid: 34, additionalGids: [7, 8] }],
    ["5000", { uid: 5000, gid: 0 }],
    ["5000:6000", { uid: 5000, gid: 6000 }],
    ["0:ssl", { uid: 0, gid: 7 }],
  ])("%s is the container's, with its groups", async (text, user) => {
    expect(await findUser(text, files)).toEqual(user);
  });

  it("of digits is a number, also where a user of the container has that name", async () => {
    expect(await findUser("1000", files)).toEqual({ uid: 1000, gid: 0 });
  });

  it.each([
    ["nobody-here", /passwd has no user "nobody-here"/],
    ["bad", /no user "bad"/],
    ["broken", /no user "broken"/],
    ["root:nogroup", /group has no group "nogroup"/],
    ["root:big", /no group "big"/],
    ["4294967295", /no user "4294967295"/],
    ["root:", /is not USER or USER:GROUP/],
    [":root", /is not USER or USER:GROUP/],
    ["a:b:c", /is not USER or USER:GROUP/],
  ])("%s is refused by name", async (text, reason) => {
    await expect(findUser(text, files)).rejects.toThrow(reason);
  });

  it("leaves a process as it is where none is named", async () => {
    const process = { cwd: "/", user: { uid: 1, gid: 2 } };
    expect(await processWithUser(process, "", files)).toBe(process);
    expect((await processWithUser(process, "root", files)).user).toEqual({ uid: 0, gid: 0 });
  });
});
