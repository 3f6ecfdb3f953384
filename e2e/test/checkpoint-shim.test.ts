import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { BareShim } from "../harness/engines/bare-shim.ts";
import { BlockTasks } from "../harness/engines/block-task.ts";
import { expectNoShims } from "../harness/engines/no-shims.ts";
import { memberAnnotations } from "../harness/pods.ts";
import { COUNTER } from "../harness/snapshots.ts";

const SAVABLE = '[hypervisor.qemu]\nshared_fs = "none"\ndisable_block_device_use = false\ndefault_memory = 256\n';
const ARGS = ["sh", "-c", COUNTER];

/** As containerd takes a snapshot into its content store, and out of it for the next task: a file of zeroes takes its whole size. */
async function asImage(from: string, to: string): Promise<string> {
  mkdirSync(to, { mode: 0o700 });
  await execa("sh", ["-c", `tar -C ${from} -c . | tar -C ${to} -x`]);
  return to;
}

function exit(fields: object = {}): object {
  return BareShim.any("containerd.runc.v1.CheckpointOptions", { exit: true, file_locks: true, ...fields });
}

describe("checkpoints of containerd-shim-kata-v2", () => {
  expectCleanHost();
  expectNoShims();

  it("go on with a task: itself, and once it has exited, under another id, from what containerd makes of its directory", async () => {
    await using tasks = await BlockTasks.create(SAVABLE);
    const path = join(tasks.directory, "ctrd-checkpoint");
    const { shim, ask } = await tasks.make("web", ARGS);
    await shim.task("Start", { id: "web" });
    expect(await ask("a")).toBe("a 1");
    // As containerd's client does around it.
    await shim.task("Pause", { id: "web" }, false);
    await shim.task("Checkpoint", { id: "web", path }, false);
    await shim.task("Resume", { id: "web" }, false);
    expect(await ask("b"), "the task goes on").toBe("b 2");
    const waited = shim.task("Wait", { id: "web" });
    await shim.task("Checkpoint", { id: "web", path, options: exit() }, false);
    expect(await waited, "as runc's").toMatchObject({ exit_status: 137 });
    await tasks.end("web", shim);

    const checkpoint = await asImage(path, join(tasks.directory, "applied"));
    const { shim: again, ask: askAgain } = await tasks.make("again", ARGS, { checkpoint });
    expect(await again.task("State", { id: "again" })).toMatchObject({ status: 1, id: "again" });
    const { pid } = await again.task("Start", { id: "again" });
    expect(await again.task("State", { id: "again" })).toMatchObject({ status: 2, pid });
    expect(await askAgain("c"), "with its memory").toBe("c 3");
    // It was saved without a word to containerd's client, as by other clients: it runs.
    await again.task("Checkpoint", { id: "again", path, options: exit() }, false);
    expect(await again.task("Wait", { id: "again" })).toMatchObject({ exit_status: 137 });
    await tasks.end("again", again);

    const { shim: last, ask: askLast } = await tasks.make("last", ARGS, { checkpoint: path });
    await last.task("Start", { id: "last" });
    expect(await askLast("d")).toBe("d 4");
    await last.task("Kill", { id: "last", signal: 9 }, false);
    expect(await last.task("Wait", { id: "last" })).toMatchObject({ exit_status: 137 });
    await tasks.end("last", last);
  });

  it("are refused with the reason where they cannot be, and the task goes on", async () => {
    await using tasks = await BlockTasks.create("");
    const path = join(tasks.directory, "ctrd-checkpoint");
    const { shim, ask } = await tasks.make("shared", ARGS);
    await shim.task("Start", { id: "shared" });
    const saved = shim.task("Checkpoint", { id: "shared", path, options: exit() }, false);
    await expect(saved).rejects.toThrow(/shared_fs/);
    expect(await ask("a")).toBe("a 1");
    expect(existsSync(path)).toBe(false);
    await shim.task("Kill", { id: "shared", signal: 9 }, false);
    await shim.task("Wait", { id: "shared" });
    await tasks.end("shared", shim);

    const edit = (spec: { annotations?: Record<string, string> }): void => {
      spec.annotations = memberAnnotations("pod");
    };
    const member = tasks.make("member", ARGS, { checkpoint: path, edit });
    await expect(member).rejects.toThrow(/annotations make it one of a pod/);
    const none = tasks.make("none", ARGS, { checkpoint: path });
    await expect(none).rejects.toThrow(/there is no such directory/);
  });
});
