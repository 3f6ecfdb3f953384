// A Redis for a test: it runs in a virtual machine of its own, begins empty, and leaves nothing.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openImage } from "@kata-ts/oci-image";
import { Sandbox } from "@kata-ts/virtcontainers";

const { IMAGE = "docker.io/library/redis:7" } = process.env;
const SERVER = ["redis-server", "--save", "", "--appendonly", "no"];

const READY_MS = 60_000;

/** Resolves once it accepts connections. What was made is taken back where that fails. */
export async function startRedis() {
  const directory = await mkdtemp(join(tmpdir(), "redis-"));
  let sandbox;
  const remove = async () => {
    await sandbox?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  };
  try {
    const rootfs = join(directory, "rootfs");
    const image = await openImage({ registry: IMAGE }, { cacheDir: join(directory, "cache") });
    await image.unpack(rootfs);
    sandbox = await Sandbox.create();
    const { env } = image.process(SERVER);
    const container = await sandbox.createContainer({ rootfs, args: SERVER, env });
    const running = await container.start();
    await accepts(running.process);
    return {
      /** @returns what redis-cli prints */
      async command(...args) {
        const { exitCode, stdout, stderr } = await running.run({ args: ["redis-cli", ...args] });
        if (exitCode !== 0) throw new Error(`redis-cli: ${stdout}${stderr}`);
        return stdout.trim();
      },
      async stop() {
        await running.process.kill("SIGTERM");
        await running.process.wait();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function accepts(server) {
  const lines = createInterface({ input: server.stdout });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("redis-server does not accept connections")), READY_MS);
    lines.on("line", (line) => {
      if (!/ready to accept connections/i.test(line)) return;
      clearTimeout(late);
      resolve();
    });
    lines.on("close", () => {
      clearTimeout(late);
      reject(new Error("redis-server has ended"));
    });
  });
}
