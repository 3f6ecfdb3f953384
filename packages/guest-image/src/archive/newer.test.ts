import { expect, it } from "vitest";
import { defaultCacheDir } from "../cache.ts";
import { Archive } from "./archive.ts";
import { newerIn } from "./newer.ts";

/** In the form that apt has; the mirrors do not exist. */
const POLICY = `libssl3t64:
  Installed: (none)
  Candidate: 3.5.4-1~deb13u2
  Version table:
     3.5.4-1~deb13u2 500
        500 http://archive.test/debian-security trixie-security/main amd64 Packages
     3.5.4-1~deb13u1 500
        500 http://archive.test/debian trixie/main amd64 Packages
zlib1g:
  Installed: (none)
  Candidate: 1:1.3.dfsg+really1.3.1-1+b1
  Version table:
     1:1.3.dfsg+really1.3.1-1+b1 500
        500 http://archive.test/debian trixie/main amd64 Packages
     1:1.2 500
        500 http://archive.test/debian-security trixie-security/main amd64 Packages
`;

it("lists newer versions, and which of them are security fixes", async () => {
  const guest = [
    { name: "libssl3t64", version: "3.5.4-1~deb13u1" },
    { name: "zlib1g", version: "1:1.3.dfsg+really1.3.1-1" },
  ];
  expect(await newerIn(POLICY, guest)).toEqual([
    { ...guest[0], candidate: "3.5.4-1~deb13u2", security: true },
    { ...guest[1], candidate: "1:1.3.dfsg+really1.3.1-1+b1", security: false },
  ]);
});

it("lists no package that is current, or newer than the archive, or unknown to it", async () => {
  const guest = [
    { name: "libssl3t64", version: "3.5.4-1~deb13u2" },
    { name: "zlib1g", version: "2:1" },
    { name: "other", version: "1" },
  ];
  expect(await newerIn(POLICY, guest)).toEqual([]);
});

it("reads what apt prints of the real archive", { timeout: 600_000 }, async () => {
  const archive = await Archive.open(defaultCacheDir(), () => undefined);
  const current = await archive.candidate("libc6");
  const newer = await archive.newer([{ name: "libc6", version: "1.0" }, await archive.candidate("tini")]);
  expect(newer).toMatchObject([{ name: "libc6", version: "1.0", candidate: current.version }]);
  expect(await archive.day()).toMatch(/^20\d\d-\d\d-\d\d$/);
});
