// For detached.test.ts: a program that detaches a sandbox, or opens it, and ends by itself.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { type KataError, Sandbox } from "@kata-ts/virtcontainers";
import { SHARE } from "./paths.ts";

const [what = "", id = "", rootfs = ""] = process.argv.slice(2);
const vm = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") };

function tell(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A sandbox whose container runs. */
async function begin(): Promise<Sandbox> {
  const sandbox = await Sandbox.create({ vm, id, detachable: true });
  const script = "echo begun; read line; echo got $line; sleep 1000";
  const container = await sandbox.createContainer({
    rootfs,
    id: "web",
    args: ["sh", "-c", script],
    env: ["PATH=/bin", "A=1"],
  });
  await container.files.write("/tmp/left", "by the first program");
  await container.start();
  return sandbox;
}

const work: Readonly<Record<string, () => Promise<void>>> = {
  detach: async () => {
    const sandbox = await begin();
    await sandbox.detach();
    tell("detached");
  },
  // Killed once it has let go of the first process, and is to put the record in its place that says so.
  "detach half": async () => {
    const sandbox = await begin();
    fs.renameSync = (from) => {
      tell(from);
      process.kill(process.pid, "SIGKILL");
    };
    syncBuiltinESMExports();
    await sandbox.detach();
  },
  use: async () => {
    const sandbox = await Sandbox.open(id);
    const [web] = sandbox.restored;
    if (web === undefined) throw new Error("it has no container");
    const { stdout } = await web.run({ args: ["sh", "-c", "echo $A; cat /tmp/left"] });
    const file = await web.files.readText("/tmp/left");
    web.process.stdin.write("a line\n");
    const lines: string[] = [];
    for await (const line of web.process) if (lines.push(line) === 2) break;
    tell({ stdout, file, lines });
    await sandbox.close();
  },
  // Until it is killed, where it gets it.
  hold: async () => {
    try {
      await Sandbox.open(id);
      tell("opened");
    } catch (error) {
      tell((error as KataError).code);
    }
  },
};

await work[what]?.();
