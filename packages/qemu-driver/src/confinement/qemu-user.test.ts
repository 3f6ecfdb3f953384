import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeQemuUser } from "./qemu-user.ts";

/** None that a VM on this machine has. */
const FIRST = 1_999_000_000;

describe("the user of a QEMU", () => {
  let locks = "";
  const range = (count: number) => ({ users: { first: FIRST, last: FIRST + count - 1 }, locks });

  beforeEach(() => {
    locks = join(mkdtempSync(join(tmpdir(), "users-")), "users");
  });

  afterEach(() => {
    rmSync(join(locks, ".."), { recursive: true });
  });

  it("is nobody else's while it lives, and free again after that", async () => {
    const taken = await Promise.all([1, 2, 3].map(() => takeQemuUser(range(3))));
    expect(taken.map(({ id }) => id).sort()).toEqual([FIRST, FIRST + 1, FIRST + 2]);
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

  it("is not one that a process has which is still there", async () => {
    const process = spawn("setpriv", [`--reuid=${String(FIRST)}`, "--clear-groups", "cat"]);
    try {
      process.stdin.write("there\n");
      await once(process.stdout, "data");
      using other = await takeQemuUser(range(2));
      expect(other.id).toBe(FIRST + 1);
    } finally {
      process.kill("SIGKILL");
      await once(process, "exit");
    }
  });
});
