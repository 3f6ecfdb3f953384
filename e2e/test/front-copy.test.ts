import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { type CommandResult, runCommand } from "../harness/command.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { KATA, OwnKata } from "../harness/own-kata.ts";

describe("kata cp", () => {
  expectCleanHost();

  it("copies files and trees in and out, as cp does, and as a tar", async () => {
    await using kata = new OwnKata();
    const rootfs = join(kata.directory, "rootfs"); // Which gets a mount point.
    cpSync(await busyboxRootfs(), rootfs, { recursive: true, verbatimSymlinks: true });
    const args = ["--tmpfs", "/data", rootfs, "sleep", "1000"];
    const child = kata.spawn("run", "--name", "box", ...args);
    await kata.whenRunning("box");
    const site = join(kata.directory, "site");
    mkdirSync(join(site, "css"), { recursive: true });
    writeFileSync(join(site, "index.html"), "hello", { mode: 0o640 });
    writeFileSync(join(site, "css", "style.css"), "");
    const cp = (...args: readonly string[]): Promise<CommandResult> => kata.kata("cp", ...args);
    const good = { exitCode: 0, stdout: "", stderr: "" };
    expect(await cp(site, "box:/data")).toMatchObject(good);
    expect(await cp(`${site}/.`, "box:data/content")).toMatchObject(good);
    expect(await cp(join(site, "index.html"), "box:/data/content/other.html")).toMatchObject(good);
    const found = await kata.kata(
      "exec",
      "box",
      "sh",
      "-c",
      "cd /data; find site content -type f | sort; stat -c '%u %a' site/index.html",
    );
    const files = [
      "content/css/style.css",
      "content/index.html",
      "content/other.html",
      "site/css/style.css",
      "site/index.html",
    ];
    expect(found.stdout.split("\n")).toEqual([...files, "0 640"]);

    await kata.kata("exec", "box", "sh", "-c", `cd /data/content; ln -s ${kata.directory} out; chmod 4755 other.html`);
    const copy = join(kata.directory, "copy");
    expect(await cp("box:/data/content", copy)).toMatchObject(good);
    expect(readdirSync(copy).sort()).toEqual(["css", "index.html", "other.html", "out"]);
    expect(statSync(join(copy, "other.html")).mode & 0o7777).toBe(0o755);
    expect(await cp("box:/data/content/index.html", `${copy}/css`)).toMatchObject(good);
    expect(readdirSync(join(copy, "css")).sort()).toEqual(["index.html", "style.css"]);
    const tar = await runCommand("/bin/sh", [
      "-c",
      `"$0" --root "$1" cp box:/data/site - | tar -t | sort`,
      KATA,
      kata.root,
    ]);
    expect(tar.stdout.split("\n")).toEqual(["site/", "site/css/", "site/css/style.css", "site/index.html"]);
    const taken = await runCommand("/bin/sh", [
      "-c",
      `tar -C "$2" -c css | "$0" --root "$1" cp - box:/data/site`,
      KATA,
      kata.root,
      copy,
    ]);
    expect(taken).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await kata.kata("exec", "box", "ls", "/data/site/css")).stdout).toBe("index.html\nstyle.css");

    for (const [args, reason] of [
      [["box:/none", copy], "no such file or directory"],
      [["box:/data/site", join(copy, "index.html")], "is no directory"],
      [["box:/data/site", join(copy, "no", "where")], "there is no directory"],
      [[copy, site], "between this machine and a container"],
      [["box:/a", "box:/b"], "between this machine and a container"],
      [["other:/a", copy], "other"],
    ] as const) {
      expect(await cp(...args)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(reason) as string });
    }
    expect(await kata.kata("stop", "-t", "0", "box")).toMatchObject({ exitCode: 0 });
    await once(child, "exit");
  });
});
