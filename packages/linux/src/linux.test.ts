import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  attachMountTree,
  cloneMountTree,
  createPipe,
  enterNamespace,
  flushFileSystem,
  identifyProcess,
  inNamespace,
  inNewNamespace,
  isAlive,
  LinuxError,
  lockFile,
  MountFlag,
  makeTreeReadOnly,
  mount,
  namespaceKindOf,
  processTree,
  readProcessStat,
  refreshAttributes,
  setPipeSize,
  setTreePropagation,
  signalProcess,
  tryLockFile,
  unmount,
} from "./index.ts";
import { callInThread } from "./native.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "linux-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe("mounts and mount namespaces", () => {
  it("move a read-only copy of a tree into another namespace, where the host does not see it", () => {
    const [source, target] = [join(directory, "source"), join(directory, "target")];
    for (const path of [source, target]) mkdirSync(path);
    writeFileSync(join(source, "file"), "content");
    const mounted = readFileSync("/proc/self/mountinfo", "utf8");
    const cwd = process.cwd();
    const tree = cloneMountTree(source, true);
    makeTreeReadOnly(tree, true);
    inNewNamespace("mnt", () => {
      mount("none", "/", null, MountFlag.rec | MountFlag.slave);
      attachMountTree(tree, target);
      expect(readFileSync(join(target, "file"), "utf8")).toBe("content");
      expect(() => {
        writeFileSync(join(target, "new"), "");
      }).toThrow("EROFS");
      unmount(target);
      expect(readdirSync(target)).toEqual([]);
    });
    closeSync(tree);
    expect(readdirSync(target)).toEqual([]);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(mounted);
    expect(process.cwd()).toBe(cwd);
  });

  it.each(["private", "slave"] as const)("are cut off from a shared source as %s", (propagation) => {
    const [source, target] = [join(directory, "source"), join(directory, "target")];
    for (const path of [source, target]) mkdirSync(path);
    mount("none", source, "tmpfs", 0);
    mount("none", source, null, MountFlag.shared);
    const [below, later] = [join(source, "below"), join(source, "later")];
    const mounted = (path: string): boolean =>
      readFileSync("/proc/thread-self/mountinfo", "utf8").includes(` ${path} `);
    try {
      for (const path of [below, later]) mkdirSync(path);
      mount("none", below, "tmpfs", 0);
      const tree = cloneMountTree(source, true);
      setTreePropagation(tree, propagation);
      const other = inNewNamespace("mnt", () => {
        mount("none", "/", null, MountFlag.rec | MountFlag.slave);
        attachMountTree(tree, target);
        return openSync("/proc/thread-self/ns/mnt", "r");
      });
      closeSync(tree);
      mount("none", later, "tmpfs", 0);
      inNamespace("mnt", `/proc/self/fd/${String(other)}`, () => {
        expect(mounted(join(target, "later"))).toBe(propagation === "slave");
        unmount(target);
      });
      closeSync(other);
      expect([below, later].map(mounted)).toEqual([true, true]);
    } finally {
      for (const path of [below, later, source]) if (mounted(path)) unmount(path);
    }
  });

  it("fail with the call, the object and the errno", () => {
    const failure = expect(() => {
      mount("none", join(directory, "missing"), "tmpfs", 0);
    });
    failure.toThrow(LinuxError);
    failure.toThrow(/mount none on .*missing: ENOENT/);
  });
});

describe("what takes long", () => {
  it("is done in another thread, and fails with the call, the object and the errno as well", async () => {
    await flushFileSystem(directory);
    await expect(flushFileSystem(join(directory, "missing"))).rejects.toThrow("ENOENT");
    const missing = callInThread("int umount2(const char *target, int flags)", "nothing", directory, 0);
    await expect(missing).rejects.toThrow("umount2 nothing: EINVAL");
  });
});

describe("namespaces", () => {
  it("are distinguished by kind, wherever they are mounted, and from other files", () => {
    for (const kind of ["net", "pid", "user", "time", "mnt"] as const) {
      expect(namespaceKindOf(`/proc/self/ns/${kind}`)).toBe(kind);
    }
    expect(namespaceKindOf("/proc/self/status")).toBeUndefined();
    expect(namespaceKindOf(directory)).toBeUndefined();
    expect(() => namespaceKindOf(join(directory, "none"))).toThrow("ENOENT");
  });

  it("hold what is started in them, and let the caller go", () => {
    const own = readlinkSync("/proc/thread-self/ns/net");
    const inside = inNewNamespace("net", () =>
      spawnSync("/bin/readlink", ["/proc/self/ns/net"]).stdout.toString().trim(),
    );
    expect(inside).not.toBe(own);
    expect(readlinkSync("/proc/thread-self/ns/net")).toBe(own);
  });

  it("are entered for good, by this thread and by what it starts", () => {
    const home = openSync("/proc/thread-self/ns/net", "r");
    const there = inNewNamespace("net", () => openSync("/proc/thread-self/ns/net", "r"));
    const path = (fd: number): string => `/proc/self/fd/${String(fd)}`;
    try {
      enterNamespace("net", path(there));
      const { stdout } = spawnSync("/bin/readlink", ["/proc/self/ns/net"]);
      expect(stdout.toString().trim()).toBe(readlinkSync(path(there)));
      expect(readlinkSync("/proc/thread-self/ns/net")).toBe(readlinkSync(path(there)));
    } finally {
      enterNamespace("net", path(home));
      for (const fd of [home, there]) closeSync(fd);
    }
    expect(() => {
      enterNamespace("net", join(directory, "none"));
    }).toThrow("ENOENT");
  });

  it("make a child process 1 of a pid namespace; Node goes on as before", async () => {
    const child = inNewNamespace("pid", () => spawn("/bin/sh", ["-c", "echo $$"]));
    const [output] = (await once(child.stdout, "data")) as [Buffer];
    expect(output.toString()).toBe("1\n");
    await new Promise((resolve) => setTimeout(resolve, 1)); // timers
    expect(await import("node:fs/promises").then(({ stat }) => stat("/"))).toBeDefined(); // and threads
  });

  it("bring the caller back also when the function throws", () => {
    const own = readlinkSync("/proc/thread-self/ns/uts");
    expect(() =>
      inNamespace("uts", "/proc/self/ns/uts", () => {
        throw new Error("inside");
      }),
    ).toThrow("inside");
    expect(readlinkSync("/proc/thread-self/ns/uts")).toBe(own);
    expect(() => {
      inNamespace("net", join(directory, "none"), () => undefined);
    }).toThrow("ENOENT");
  });
});

describe("processes", () => {
  it("are distinguished from later ones of the same pid, and from zombies", async () => {
    const child = spawn("/bin/sleep", ["1000"]);
    const identity = identifyProcess(child.pid ?? 0);
    expect(isAlive(identity)).toBe(true);
    expect(isAlive({ ...identity, startTime: identity.startTime + 1 })).toBe(false);
    expect(signalProcess({ ...identity, startTime: 0 }, "SIGKILL")).toBe(false);
    expect(readProcessStat(identity.pid)?.parent).toBe(process.pid);
    expect(signalProcess(identity, "SIGKILL")).toBe(true);
    await once(child, "exit");
    expect(isAlive(identity)).toBe(false);
    expect(signalProcess(identity, "SIGKILL")).toBe(false);
  });

  it("live as long as a thread of theirs does, although the first one's end makes them look like zombies", async () => {
    const program = `
import ctypes, threading, sys
threading.Thread(target=lambda: sys.stdin.read()).start()
ctypes.CDLL(None).pthread_exit(0)`;
    const child = spawn("python3", ["-c", program]);
    const identity = identifyProcess(child.pid ?? 0);
    while (readProcessStat(identity.pid)?.state !== "Z") await new Promise(setImmediate);
    expect(isAlive(identity)).toBe(true);
    expect(signalProcess(identity, "SIGKILL")).toBe(true);
    await once(child, "exit");
    expect(isAlive(identity)).toBe(false);
  });
});

describe("a tree of processes", () => {
  it("is a process with its children, and theirs", async () => {
    const shell = spawn("/bin/sh", ["-c", "sleep 1000 & sh -c 'sleep 1000; :' & echo; wait"], { detached: true });
    await once(shell.stdout, "data");
    const pid = shell.pid ?? 0;
    try {
      while (processTree(pid).length < 4) await new Promise(setImmediate);
      expect(processTree(pid)[0]).toBe(pid);
      expect(processTree(pid)).toHaveLength(4);
    } finally {
      process.kill(-pid, "SIGKILL");
    }
  });
});

describe("refreshAttributes", () => {
  it("takes what is there, and names what is not", async () => {
    await refreshAttributes("/proc/self/status");
    await expect(refreshAttributes("/proc/self/none")).rejects.toMatchObject({ syscall: "statx", errno: "ENOENT" });
  });
});

describe("pipes", () => {
  it("are real ones, that a program can re-open, and can be resized", () => {
    const { read, write } = createPipe();
    expect(fstatSync(read).isFIFO()).toBe(true);
    expect(setPipeSize(write, 200_000)).toBe(262_144);
    writeSync(write, "through");
    const buffer = Buffer.alloc(10);
    expect(buffer.toString("utf8", 0, readSync(read, buffer))).toBe("through");
    for (const fd of [read, write]) closeSync(fd);
  });
});

describe("tryLockFile", () => {
  it("takes a lock that no process holds, and waits for none", async () => {
    const path = join(directory, "lock");
    using held = await tryLockFile(path);
    expect(held?.path).toBe(path);
    expect(await tryLockFile(path)).toBeUndefined();
    await expect(tryLockFile(join(directory, "none", "lock"))).rejects.toThrow("ENOENT");
  });
});

describe("lockFile", () => {
  it("waits for the holder without blocking the loop, and gives up at its deadline", async () => {
    const path = join(directory, "lock");
    const first = await lockFile(path, { deadlineMs: 1000 });
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 5);
    await expect(lockFile(path, { deadlineMs: 100 })).rejects.toMatchObject({ errno: "ETIMEDOUT" });
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(0);
    const waiting = lockFile(path, { deadlineMs: 5000 });
    first[Symbol.dispose]();
    (await waiting)[Symbol.dispose]();
    expect(existsSync(path)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});
