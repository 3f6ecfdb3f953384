// `npm start`: builds what is not built yet, then runs a busybox container in a virtual machine and shows what ran where.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { buildTree } from "./lib/build-all.ts";
import { makeBusyboxBundle } from "./lib/busybox-bundle.ts";
import { DIST } from "./lib/paths.ts";

await buildTree("auto");

const directory = await mkdtemp(join(tmpdir(), "kata-ts-start-"));
try {
  await makeBusyboxBundle(directory, [
    "sh",
    "-c",
    'echo "hello from a container, kernel $(uname -r), host name $(hostname)"',
  ]);
  const runtime = join(DIST, "bin", "kata-runtime");
  process.stdout.write("\n• running a busybox container in a virtual machine …\n");
  const began = performance.now();
  const container = execa(runtime, ["run", "--bundle", directory, `kata-ts-start-${String(process.pid)}`], {
    stdin: "ignore",
  });
  let first: number | undefined;
  container.stdout.on("data", () => {
    first ??= performance.now() - began;
  });
  const { stdout } = await container;
  const { qemuPath, choice, kernel } = await accelerator();
  const rows = [
    ["container's output", stdout],
    ["guest kernel", /kernel (\S+),/.exec(stdout)?.[1] ?? "unknown"],
    ["host kernel", release()],
    ["call to first output", `${((first ?? Number.NaN) / 1000).toFixed(2)} s`],
    ["call to exit", `${((performance.now() - began) / 1000).toFixed(2)} s`],
    ["hypervisor", qemuPath],
    ["accelerator", `${choice.accelerator}: ${choice.reason}`],
    ["guest files", kernel],
  ];
  for (const [name = "", value = ""] of rows) process.stdout.write(`  ${name.padEnd(22)}${value}\n`);
  process.stdout.write(`\nThe runtime is ${runtime}\n`);
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function accelerator(): Promise<{
  qemuPath: string;
  choice: { accelerator: string; reason: string };
  kernel: string;
}> {
  const { chooseAccelerator } = await import("@kata-ts/qemu-driver");
  const { defaultQemuConfig } = await import("@kata-ts/virtcontainers");
  const share = join(DIST, "share", "kata-ts");
  const { qemuPath, acceleratorCache } = defaultQemuConfig;
  const choice = await chooseAccelerator({ qemuPath, kernelPath: join(share, "vmlinux"), cacheFile: acceleratorCache });
  const built = (await readFile(join(DIST, "..", "built"), "utf8")).split(" ")[1] ?? "";
  return { qemuPath, choice, kernel: `${share} (${built} kernel)` };
}
