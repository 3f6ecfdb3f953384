import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { defaultCacheDir } from "@kata-ts/guest-image";
import { execa } from "execa";

/** The distribution's registry, on a port of the loopback, with its storage in a directory of the test's. */
export class Registry implements AsyncDisposable {
  readonly host: string;
  readonly storage: string;
  readonly #child: ChildProcess;

  private constructor(host: string, storage: string, child: ChildProcess) {
    this.host = host;
    this.storage = storage;
    this.#child = child;
  }

  static async start(directory: string): Promise<Registry> {
    const storage = join(directory, "storage");
    mkdirSync(storage, { recursive: true });
    const port = await freePort();
    const host = `127.0.0.1:${String(port)}`;
    const config = {
      version: 0.1,
      storage: { filesystem: { rootdirectory: storage } },
      http: { addr: host },
      log: { level: "error" },
    };
    // YAML is a superset of JSON.
    const file = join(directory, "registry.yml");
    writeFileSync(file, JSON.stringify(config));
    const child = spawn(await registryProgram(), ["serve", file], { stdio: "ignore" });
    const registry = new Registry(host, storage, child);
    await accepts(port, child);
    return registry;
  }

  /** Pushes an image of one layer, whose programs are found below /usr. @returns its name */
  async push(name: string, rootfs: string): Promise<string> {
    const layout = join(this.storage, "..", `layout-${name}`);
    const image = `${layout}:latest`;
    await execa("umoci", ["init", "--layout", layout]);
    await execa("umoci", ["new", "--image", image]);
    // Not by `umoci insert`: its layer ends without the padding of the last file.
    const bundle = join(this.storage, "..", `bundle-${name}`);
    await execa("umoci", ["unpack", "--image", image, bundle]);
    await execa("cp", ["--archive", `${rootfs}/.`, join(bundle, "rootfs")]);
    await execa("umoci", ["repack", "--image", image, bundle]);
    await execa("umoci", ["config", "--image", image, "--config.env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]);
    const reference = `${this.host}/example/${name}:latest`;
    const insecurely = ["--insecure-policy", "copy", "--dest-tls-verify=false"];
    await execa("skopeo", [...insecurely, `oci:${image}`, `docker://${reference}`]);
    return reference;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}

/** Out of its package, which is not installed: nothing may listen when no test runs. */
async function registryProgram(): Promise<string> {
  const finished = join(defaultCacheDir(), "test-registry");
  const program = join(finished, "usr", "bin", "docker-registry");
  if (existsSync(program)) return program;
  const unfinished = `${finished}.${String(process.pid)}`;
  mkdirSync(unfinished, { recursive: true });
  const args = ["-o", "APT::Sandbox::User=root", "-q", "download", "docker-registry"];
  await execa("apt-get", args, { cwd: unfinished });
  for (const deb of readdirSync(unfinished)) await execa("dpkg-deb", ["-x", join(unfinished, deb), unfinished]);
  rmSync(finished, { recursive: true, force: true });
  renameSync(unfinished, finished);
  return program;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const closed = once(server, "close");
  server.close();
  await closed;
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Tries until the program accepts, or has ended. */
async function accepts(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const socket = createConnection(port, "127.0.0.1");
    const connected = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (connected) return;
  }
  throw new Error(`the registry has ended with ${String(child.exitCode)}`);
}
