import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommand } from "../harness/command.ts";
import { ROOT } from "../harness/paths.ts";
import { HostRoot } from "./host-root.ts";
import { DEVELOPER } from "./packages.ts";
import { chosenSuites } from "./suites.ts";

const suites = chosenSuites(["bookworm", "trixie", "forky"]);
/** Digests of the guest's image that each has built. */
const images: Map<string, string> = new Map();

describe.each(suites)("a clean clone on a fresh %s", (suite) => {
  it("runs a container with npm start; the second one installs nothing and leaves git status clean", async () => {
    await using host = await HostRoot.create(suite, DEVELOPER);
    const clone = await cloneInto(host);

    const first = await host.expectOk(["npm", "start"], { cwd: clone });
    expect(first).toMatch(/container's output +hello from a container, kernel \d/);
    expect(await statusOf(host, clone)).toBe("");

    // Without package lists, an apt that is called again fails or fetches them.
    rmSync(join(host.directory, "var/lib/apt/lists"), { recursive: true });
    const second = await host.expectOk(["npm", "start"], { cwd: clone });
    expect(second).toMatch(/container's output +hello from a container, kernel \d/);
    expect(second).not.toMatch(/installing|compiling/);
    expect(await statusOf(host, clone)).toBe("");

    // Of today's index, which may be the same.
    const update = await host.expectOk(["npm", "run", "guest:update"], { cwd: clone });
    expect(update).toContain("fetching the index of Debian trixie");
    expect(update).toMatch(/"suite": "trixie"/);

    const image = readFileSync(join(host.directory, clone, "dist/kata-ts/share/kata-ts/rootfs.ext4"));
    images.set(suite, createHash("sha256").update(image).digest("hex"));
  });

  if (process.env.KATA_TEST_HOSTS_FULL === "1") {
    it("passes npm test", async () => {
      await using host = await HostRoot.create(suite, DEVELOPER);
      const clone = await cloneInto(host);
      const output = await host.expectOk(["npm", "test"], { cwd: clone, deadline: 3 * 3600_000 });
      expect(output.trim().split("\n").at(-1)).toMatch(/^\d+ passed, 0 failed$/);
    });
  }
});

describe.runIf(suites.length > 1)("the guest's image", () => {
  it("is the same on all of them", () => {
    const [first] = images.values();
    expect(Object.fromEntries(images)).toEqual(Object.fromEntries(suites.map((suite) => [suite, first])));
  });
});

/** Of what is committed: a change that is not is not tested. @returns its directory in the host */
async function cloneInto(host: HostRoot): Promise<string> {
  const clone = "/root/kata-ts";
  const { exitCode, stderr } = await runCommand("git", [
    "clone",
    "-q",
    "--no-hardlinks",
    ROOT,
    join(host.directory, clone),
  ]);
  if (exitCode !== 0) throw new Error(`git clone: ${stderr}`);
  return clone;
}

function statusOf(host: HostRoot, clone: string): Promise<string> {
  return host.expectOk(["git", "status", "--porcelain"], { cwd: clone });
}
