import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProcessStat } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeQemuUser } from "./qemu-user.ts";

/** None that a VM on this machine has. */
const FIRST = 1_999_000_000;

describe("the user of a QEMU", () => {
  let locks = "";
  /** For so many VMs. */
  const range = (count: number) => ({ users: { first: FIRST, last: FIRST + 3 * count - 1 }, locks });

  beforeEach(() => {
    locks = join(mkdtempSync(join(tmpdir(), "users-")), "users");
  });

  afterEach(() => {
    rmSync(join(locks, ".."), { recursive: true });
  });

  it("belongs to one VM while it lives, and is free again after that", async () => {
    const taken = await Promise.all([1, 2, 3].map(() => takeQemuUser(range(3))));
    expect(taken.map(({ id }) => id).sort()).toEqual([FIRST, FIRST + 3, FIRST + 6]);
    await expect(takeQemuUser(range(3))).rejects.toMatchObject({ code: "KATA_SPAWN", message: /all of .* are taken/ });
    for (const each of taken) each[Symbol.dispose]();
    using again = await takeQemuUser(range(3));
    expect(again.id).toBe(FIRST);
    expect(statSync(locks).mode & 0o777).toBe(0o700);
  });

  it("is free again when its holder was killed", async () => {
    const module = JSON.stringify(new URL("../../dist/confinement/qemu-user.js", import.meta.url).href);
    const code = `import { takeQemuUser } from ${module};
      const user = await takeQemuUser(${JSON.stringify(range(1))}); console.log(user.id); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", code]);
    await once(holder.stdout, "data");
    await expect(takeQemuUser(range(1))).rejects.toThrow("are taken");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    using again = await takeQemuUser(range(1));
    expect(again.id).toBe(FIRST);
  });

  it.each([
    ["itself", FIRST],
    ["the one beside it", FIRST + 1],
    ["the third", FIRST + 2],
  ])("is not one where a process still is %s", async (_, uid) => {
    const process = spawn("setpriv", [`--reuid=${String(uid)}`, "--clear-groups", "cat"]);
    try {
      process.stdin.write("there\n");
      await once(process.stdout, "data");
      using other = await takeQemuUser(range(2));
      expect(other.id).toBe(FIRST + 3);
    } finally {
      process.kill("SIGKILL");
      await once(process, "exit");
    }
  });

  it("is one again where its last process is over, and its parent has not collected it", async () => {
    const drop = `setpriv --reuid=${String(FIRST)} --clear-groups true & echo $!; exec sleep 1000`;
    const parent = spawn("sh", ["-c", drop]);
    try {
      const [pid] = (await once(parent.stdout, "data")) as [Buffer];
      while (readProcessStat(Number(pid))?.state !== "Z") await new Promise(setImmediate);
      expect(statSync(`/proc/${String(Number(pid))}`).uid).toBe(FIRST);
      using same = await takeQemuUser(range(2));
      expect(same.id).toBe(FIRST);
    } finally {
      parent.kill("SIGKILL");
      await once(parent, "exit");
    }
  });
});
