import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Call } from "../harness/faults/call.ts";
import { findVictim, readRecord } from "../harness/faults/victims.ts";
import { Kata } from "../harness/kata.ts";

const SLEEP = { args: ["sleep", "1000"] };

describe("gc", () => {
  expectCleanHost();

  it("removes what was left when everything was killed, and touches nothing that lives", async () => {
    await using kata = new Kata();
    const living = await kata.start(SLEEP);
    const dead = await kata.start(SLEEP);
    const { shim, vm } = readRecord(kata, dead);
    for (const { pid } of [...vm.processes, shim]) process.kill(pid, "SIGKILL");
    while ([...vm.processes, shim].some(isAlive)) await new Promise(setImmediate);

    const { path } = await kata.bundle(SLEEP);
    await using cut = new Call(kata, ["create", "--bundle", path, "cut"]);
    await cut.holdAt("vm-started");
    const unfinished = readRecord(kata, "cut").vm;
    expect(await kata.ok(["gc", "--dry-run"])).toBe(`would remove container ${dead}: its VM is dead`);

    process.kill(findVictim("proxy", kata, { id: "cut" }).pid, "SIGKILL");
    cut.child.kill("SIGKILL");
    await cut.ended;
    while (unfinished.processes.some(isAlive)) await new Promise(setImmediate);
    expect(existsSync(unfinished.dir)).toBe(true);

    const removed = (await kata.ok(["gc"])).split("\n").sort();
    expect(removed).toEqual(
      [`removed container ${dead}: its VM is dead`, "removed container cut: its VM is dead"].sort(),
    );
    expect(existsSync(vm.dir) || existsSync(unfinished.dir)).toBe(false);
    expect(readdirSync(kata.root)).toEqual([living]);
    expect(await kata.ok(["gc"])).toBe("");
    expect(await kata.ok(["exec", living, "echo", "lives"])).toBe("lives");
  });

  it("ends a VM whose container's record has vanished", async () => {
    await using kata = new Kata();
    const id = await kata.start(SLEEP);
    const { vm } = readRecord(kata, id);
    renameSync(join(kata.root, id), join(kata.directory, "elsewhere"));
    expect(await kata.ok(["gc"])).toBe(`removed vm ${vm.dir}: no container's record names it`);
    expect(vm.processes.some(isAlive)).toBe(false);
    expect(existsSync(vm.dir)).toBe(false);
  });

  it("is not needed for a record that became garbage: delete --force still finds the VM", async () => {
    await using kata = new Kata();
    const id = await kata.start(SLEEP);
    const { vm } = readRecord(kata, id);
    writeFileSync(join(kata.root, id, "kata.json"), "{ garbage");
    expect(await kata.run(["state", id])).toMatchObject({ exitCode: 1 });
    await kata.ok(["delete", "--force", id]);
    expect(vm.processes.some(isAlive)).toBe(false);
    expect(existsSync(vm.dir)).toBe(false);
    expect(readdirSync(kata.root)).toEqual([]);
  });
});
