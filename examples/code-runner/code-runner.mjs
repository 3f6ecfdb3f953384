// Runs programs in Python, each an argument, and prints what became of each as a line of JSON: what an agent's tool returns to its model.
// The VM has no network. A program is limited in time, memory, processes and output; files that it writes are there for the next one.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openImage } from "@kata-ts/oci-image";
import { Sandbox } from "@kata-ts/virtcontainers";

const { IMAGE = "docker.io/library/python:3.13-slim", SECONDS = "30" } = process.env;
const LIMITS = { memory: { limit: 256 * 2 ** 20 }, pids: { limit: 64 } };

const directory = await mkdtemp(join(tmpdir(), "code-runner-"));
const rootfs = join(directory, "rootfs");
let image;
let sandbox;
try {
  image = await openImage({ registry: IMAGE }, { cacheDir: join(directory, "cache") });
  await image.unpack(rootfs);
  sandbox = await Sandbox.create({ vm: { memoryMiB: 512 } });
  for (const program of process.argv.slice(2)) console.log(JSON.stringify(await runPython(program)));
} finally {
  await sandbox?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
}

async function runPython(program) {
  const timeLimit = AbortSignal.timeout(Number(SECONDS) * 1000);
  const { exitCode, stdout, stderr, truncated } = await sandbox.run({
    ...image.process(["python3", "-"]),
    rootfs,
    input: program,
    resources: LIMITS,
    maxBytes: 64 * 1024,
    signal: timeLimit,
  });
  return { exitCode, stdout, stderr, truncated, timedOut: timeLimit.aborted };
}
