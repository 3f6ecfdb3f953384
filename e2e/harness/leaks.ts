import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { VM_ROOT } from "./paths.ts";

const CGROUPS = "/sys/fs/cgroup";
/** Where engines have their containers' cgroups. */
const ENGINE_PARENTS = ["/docker", "/default", "/k8s.io", "/kubepods", "/libpod_parent"];
/** podman's own: it keeps them, whatever the runtime, and does not take away all that it makes for its pods. */
const PODMANS_OWN = /\/libpod_parent\/(?!.*libpod-)/;

/** iproute2 mounts it for the first namespace that it makes on a machine, and lets it stay. */
const NAMESPACES = "/run/netns";

/** What a test could leave on the host, each item as a line that names it. */
export type HostSnapshot = ReadonlySet<string>;

export function snapshotHost(): HostSnapshot {
  const cached = cachedVms();
  const waiting = new Set(cached.flatMap(processesOf));
  const found = [...processes(waiting), ...mounts(), ...links(), ...sockets(), ...directories(), ...cgroups()];
  return new Set(found.filter((item) => !cached.some((name) => item.includes(name))));
}

/** Resolves when no process makes VMs for the cache any more: only then can a cached VM be distinguished from a leak. */
export async function cacheSettled(): Promise<void> {
  while (commands().some(({ command }) => command.endsWith(" factory refill"))) await delay(50);
}

/** VMs that wait in a cache are no leftovers. */
function cachedVms(): string[] {
  return directoriesIn(VM_ROOT)
    .map((path) => basename(path))
    .filter((name) => existsSync(join(VM_ROOT, name, "cached.json")));
}

/** A confined QEMU does not have its VM's directory among its arguments: the VM's own note names its processes. */
function processesOf(vm: string): string[] {
  try {
    const note = JSON.parse(readFileSync(join(VM_ROOT, vm, "processes.json"), "utf8")) as {
      readonly processes: readonly { readonly pid: number }[];
    };
    return note.processes.map(({ pid }) => String(pid));
  } catch {
    return []; // It has just been taken, or has ended.
  }
}

/** What is there now and was not there before. */
export function leaksSince(before: HostSnapshot): string[] {
  return [...snapshotHost()].filter((item) => !before.has(item));
}

/** Ours and our helpers'. Zombies are the init process's to collect. */
function processes(waiting: ReadonlySet<string>): string[] {
  return commands()
    .filter(({ pid }) => !waiting.has(pid))
    .filter(({ command }) =>
      /qemu-system|virtiofsd|kata-(proxy|shim|runtime)|proxy\/dist\/bin\.js|containerd-shim-kata| hold-network$/.test(
        command,
      ),
    )
    .map(({ pid, command }) => `process ${pid}: ${command}`);
}

function commands(): { readonly pid: string; readonly command: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [{ pid, command: readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim() }];
      } catch {
        return [];
      }
    });
}

function mounts(): string[] {
  return readFileSync("/proc/self/mountinfo", "latin1")
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path !== NAMESPACES)
    .map((path) => `mount ${path}`);
}

function links(): string[] {
  return listed("/sys/class/net", "network link").concat(listed("/run/netns", "network namespace"));
}

function sockets(): string[] {
  return readFileSync("/proc/net/unix", "latin1")
    .split("\n")
    .map((line) => line.split(/\s+/)[7] ?? "")
    .filter((path) => path.includes("kata"))
    .map((path) => `unix socket ${path}`);
}

/** QEMU 7's virtiofsd leaves a file for each guest whose socket it makes itself. */
function directories(): string[] {
  return listed(VM_ROOT, "VM directory").concat(listed("/run/virtiofsd", "virtiofsd's file"));
}

/** At the top of each hierarchy, beside the cgroup that the tests run in, and below the engines' parents. */
function cgroups(): string[] {
  const parents = new Set(["/", ...ownCgroups(), ...ENGINE_PARENTS]);
  const hierarchies = [CGROUPS, ...directoriesIn(CGROUPS)];
  const directories = hierarchies.flatMap((hierarchy) =>
    [...parents].flatMap((parent) => directoriesIn(join(hierarchy, parent))),
  );
  const ofPods = directories.filter((path) => PODMANS_OWN.test(path)).flatMap(directoriesIn);
  return [...directories, ...ofPods].filter((path) => !PODMANS_OWN.test(path)).map((path) => `cgroup ${path}`);
}

function ownCgroups(): string[] {
  const lines = readFileSync("/proc/self/cgroup", "latin1").trim().split("\n");
  return lines.map((line) => line.slice(line.lastIndexOf(":") + 1));
}

function directoriesIn(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name));
  } catch {
    return [];
  }
}

function listed(directory: string, what: string): string[] {
  try {
    return readdirSync(directory).map((name) => `${what} ${name}`);
  } catch {
    return [];
  }
}
