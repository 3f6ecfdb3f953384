import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "@kata-ts/virtcontainers";
import { expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { SHARE, VM_ROOT } from "../harness/paths.ts";
import { only, Scratch } from "../harness/snapshots.ts";

/** Its kernel's notices are on its console. */
const vm = {
  ...{ kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4"), memoryMiB: 512 },
  ...{ sharedFs: "none" as const, kernelParams: ["loglevel=6"] },
};

const RESEEDED = /random: crng reseeded due to virtual machine fork/g;

function reseeds({ id }: Sandbox): number {
  const read = (vm: string, file: string): string => readFileSync(join(VM_ROOT, vm, file), "latin1");
  const own = readdirSync(VM_ROOT).find((vm) => read(vm, "owner.json").includes(`"sandboxId":"${id}"`));
  return read(own ?? "", "console.log").match(RESEEDED)?.length ?? 0;
}

/** The kernel's message comes with an interrupt, beside what its agent answers. */
async function untilReseeded(sandbox: Sandbox): Promise<void> {
  while (reseeds(sandbox) === 0) await new Promise(setImmediate);
}

expectCleanHost();

it("the kernel of each copy, and of each that is restored, learns so from its machine and draws new random numbers", async () => {
  await using scratch = new Scratch();
  await using sandbox = await Sandbox.create({ vm, id: "generation" });
  const rootfs = await scratch.disk("root");
  // It draws whenever it is asked, without the agent.
  const args = ["sh", "-c", "while read line; do head -c 16 /dev/urandom | od -An -tx1; done"];
  await using container = await sandbox.createContainer({ rootfs, args });
  await container.start();
  const drawn: string[] = [];
  await using copies = new AsyncDisposableStack();
  const directory = join(scratch.path, "snapshot");
  const snapshot = await sandbox.snapshot(directory);
  const restored = copies.use(await Sandbox.restore(snapshot, { vm, id: "restored" }));
  const forked = await sandbox.fork(2, { directory: scratch.path });
  for (const copy of forked) copies.use(copy);
  for (const copy of [restored, ...forked]) {
    await untilReseeded(copy);
    expect(reseeds(copy), "each is one generation").toBe(1);
    const { process } = only(copy.restored);
    process.stdin.write("draw\n");
    const { value } = await process[Symbol.asyncIterator]().next();
    drawn.push(String(value));
  }
  expect(new Set(drawn).size).toBe(3);
  expect(reseeds(sandbox), "the one that goes on is the machine that it was").toBe(0);
});
