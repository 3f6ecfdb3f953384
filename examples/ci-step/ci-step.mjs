// node ci-step.mjs DIRECTORY COMMAND: runs a shell command over a checkout, and ends with its status. The command sees the directory as /workspace, and
// nothing else of this machine; what it writes there stays.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openImage } from "@kata-ts/oci-image";
import { Sandbox } from "@kata-ts/virtcontainers";

const { IMAGE = "docker.io/library/node:22" } = process.env;
const [checkout = ".", command = "npm test"] = process.argv.slice(2);

const directory = await mkdtemp(join(tmpdir(), "ci-step-"));
let sandbox;
try {
  const rootfs = join(directory, "rootfs");
  const image = await openImage({ registry: IMAGE }, { cacheDir: join(directory, "cache") });
  await image.unpack(rootfs);
  sandbox = await Sandbox.create();
  const container = await sandbox.createContainer({
    ...image.process(["sh", "-ec", command]),
    rootfs,
    cwd: "/workspace",
    mounts: [{ destination: "/workspace", type: "bind", source: resolve(checkout), options: ["rbind"] }],
  });
  const { process: step } = await container.start();
  step.stdin.end();
  step.stdout.pipe(process.stdout);
  step.stderr.pipe(process.stderr);
  process.exitCode = await step.wait();
} finally {
  await sandbox?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
}
