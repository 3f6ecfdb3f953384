import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accountFilesIn } from "./account-files.ts";
import { homeOf, processWithHome, withHome } from "./home.ts";

const PASSWD = "# comment\nroot:x:0:0:root:/root:/bin/sh\nbare:x:7:7::\nempty:x:8:8:::/bin/sh\n";

describe("HOME", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "home-"));
    mkdirSync(join(directory, "root", "etc"), { recursive: true });
    writeFileSync(join(directory, "root", "etc", "passwd"), PASSWD);
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("is the user's of passwd, and / for a user who is not there, or has none", () => {
    expect([0, 7, 8, 9].map((uid) => homeOf(uid, PASSWD))).toEqual(["/root", "/", "/", "/"]);
    expect(homeOf(0, "")).toBe("/");
  });

  it("stays as it is asked for; an empty one is none", async () => {
    const passwd = () => Promise.resolve(PASSWD);
    const env = async (...variables: string[]): Promise<readonly string[] | undefined> =>
      (await processWithHome({ cwd: "/", env: variables, user: { uid: 0, gid: 0 } }, passwd)).env;
    expect(await env("HOME=/own", "A=b")).toEqual(["HOME=/own", "A=b"]);
    expect(await env("HOME=", "A=b")).toEqual(["A=b", "HOME=/root"]);
    expect(await env()).toEqual(["HOME=/root"]);
  });

  it("is looked up in what is mounted last over the root's passwd", async () => {
    const root = { path: join(directory, "root") };
    const etc = join(directory, "etc");
    mkdirSync(etc);
    writeFileSync(join(etc, "passwd"), "root:x:0:0:root:/of-etc:/bin/sh\n");
    writeFileSync(join(directory, "file"), "root:x:0:0:root:/of-file:/bin/sh\n");
    const bind = (destination: string, source: string) => ({ destination, type: "bind", source });
    const home = async (...mounts: { destination: string; type: string; source?: string }[]): Promise<string> => {
      const spec = { ociVersion: "1.0.2", root, mounts, process: { cwd: "/", user: { uid: 0, gid: 0 } } };
      return (await withHome(spec)).process?.env?.[0] ?? "";
    };
    expect(await home()).toBe("HOME=/root");
    expect(await home(bind("/etc/", etc))).toBe("HOME=/of-etc");
    expect(await home(bind("/etc", etc), bind("/etc/passwd", join(directory, "file")))).toBe("HOME=/of-file");
    expect(await home({ destination: "/etc", type: "tmpfs" })).toBe("HOME=/");
    expect(await home(bind("/etc/hosts", etc))).toBe("HOME=/root");
  });

  it("comes of no file outside the root, and of none that is none", async () => {
    const root = join(directory, "root");
    rmSync(join(root, "etc", "passwd"));
    symlinkSync("../../../../../../../../etc/passwd", join(root, "etc", "passwd"));
    expect(await accountFilesIn(root)("/etc/passwd")).toBe("");
    rmSync(join(root, "etc", "passwd"));
    mkdirSync(join(root, "etc", "passwd"));
    expect(await accountFilesIn(root)("/etc/passwd")).toBe("");
    expect(await accountFilesIn(join(directory, "missing"))("/etc/passwd")).toBe("");
  });
});
