import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** Runs a module's text as a program of its own, which may throw its rights away. @returns what it writes as JSON */
function run(body: string): unknown {
  const text = `
    const { becomeUser, becomeUserWhoseChildrenDie, changeRootOfAllThreads, denySystemCalls, inOwnMountNamespace } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url).href)});
    const fs = await import("node:fs");
    const { spawn, spawnSync } = await import("node:child_process");
    await fs.promises.stat("/"); // Threads of the pool are there.
    const statuses = () => fs.readdirSync("/proc/self/task").map((id) => fs.readFileSync("/proc/self/task/" + id + "/status", "latin1"));
    const fields = (...names) => [...new Set(statuses().map((status) =>
      names.map((name) => new RegExp("^" + name + ":[ \\\\t]*(.*)$", "m").exec(status)[1]).join(" ")))];
    const errnoOf = (body) => { try { body(); return "done"; } catch (error) { return typeof error.errno === "string" ? error.errno : error.code; } };
    ${body}`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", text], { encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as unknown;
}

describe("a program that gives its rights up", () => {
  it("has no capability left in any of its threads, and is a user without groups", () => {
    const found = run(`
      const before = fields("CapEff").length;
      becomeUser(1_900_000_001);
      console.log(JSON.stringify({
        before, threads: statuses().length > 1, after: fields("Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapAmb"),
        reads: errnoOf(() => fs.readFileSync("/etc/shadow")),
      }));`);
    const id = "1900000001";
    const ids = [id, id, id, id].join("\t");
    const none = "0".repeat(16);
    expect(found).toEqual({
      before: 1,
      threads: true,
      after: [`${ids} ${ids}  ${none} ${none} ${none}`],
      reads: "EACCES",
    });
  });

  it("is not made root by mistake", () => {
    expect(run('console.log(JSON.stringify(errnoOf(() => becomeUser(0)) ?? "refused"))')).toBe("refused");
  });

  it("makes threads, and neither processes nor sockets nor mounts, in any of its threads", () => {
    const found = run(`
      const net = await import("node:net");
      const { Worker } = await import("node:worker_threads");
      const { mount, MountFlag } = await import(${JSON.stringify(new URL("./mounts.ts", import.meta.url).href)});
      const filtered = denySystemCalls();
      const worker = new Worker("(await import('node:worker_threads')).parentPort.postMessage('works')", { eval: true });
      const said = await new Promise((resolve) => worker.once("message", resolve));
      await new Promise((resolve) => worker.once("exit", resolve));
      const refused = await new Promise((resolve) => net.connect("/run/none.sock").once("error", ({ code }) => resolve(code)));
      console.log(JSON.stringify({
        filtered, said, refused, fields: fields("NoNewPrivs", "Seccomp"),
        spawns: spawnSync("true").error.code,
        mounts: errnoOf(() => mount("none", "/", null, MountFlag.rec)),
        inPool: await fs.promises.stat("/").then(() => "works"),
      }));`);
    expect(found).toEqual({
      ...{ filtered: true, said: "works", refused: "EPERM", fields: ["1 2"] },
      ...{ spawns: "EPERM", mounts: "EPERM", inPool: "works" },
    });
  });

  it("types nothing into a terminal", () => {
    const found = run(`
      const { openTerminal } = await import(${JSON.stringify(new URL("./terminals.ts", import.meta.url).href)});
      const { call } = await import(${JSON.stringify(new URL("./native.ts", import.meta.url).href)});
      const { master, slave } = openTerminal();
      const type = () => call("int ioctl(int fd, unsigned long request, const char *byte)", "TIOCSTI", slave, 0x5412, "x");
      denySystemCalls();
      console.log(JSON.stringify([errnoOf(type), fs.writeSync(master, "y")]));`);
    expect(found).toEqual(["EPERM", 1]);
  });

  it("may keep one right in one thread: to end its children, also by its own death", async () => {
    const found = run(`
      const { once } = await import("node:events");
      const tied = (id) => spawn("setpriv", ["--pdeathsig=KILL", "--reuid=" + id, "--clear-groups", "sh", "-c", "echo up; exec sleep 1000"]);
      const children = [tied(1_900_000_005), tied(1_900_000_006)];
      for (const { stdout } of children) await once(stdout, "data");
      const [first, second] = children;
      becomeUserWhoseChildrenDie(1_900_000_007);
      denySystemCalls({ signalled: [first.pid] });
      const refused = errnoOf(() => process.kill(second.pid, "SIGKILL"));
      first.kill("SIGKILL");
      await once(first, "exit");
      fs.writeSync(1, JSON.stringify({ refused, second: second.pid, effective: fields("Uid", "CapEff", "CapPrm", "CapInh").sort() }));
      process.kill(process.pid, "SIGKILL");`) as { refused: string; second: number; effective: string[] };
    const ids = Array.from({ length: 4 }, () => "1900000007").join("\t");
    const [none, toKill] = ["0".repeat(16), "20".padStart(16, "0")];
    expect(found.effective).toEqual([`${ids} ${none} ${none} ${none}`, `${ids} ${toKill} ${toKill} ${none}`]);
    expect(found.refused).toBe("EPERM");
    await expect.poll(() => existsSync(`/proc/${String(found.second)}/exe`)).toBe(false);
  });

  it("signals no process but those that are named, by any call", () => {
    const found = run(`
      const { call } = await import(${JSON.stringify(new URL("./native.ts", import.meta.url).href)});
      const signal = (signature, ...args) => errnoOf(() => call(signature, "", ...args));
      const other = process.ppid;
      denySystemCalls({ signalled: [] });
      console.log(JSON.stringify([
        signal("int kill(int pid, int signal)", process.pid, 0), signal("int kill(int pid, int signal)", other, 0),
        signal("int kill(int pid, int signal)", -1, 0), signal("int tgkill(int group, int thread, int signal)", other, other, 0),
        signal("int sigqueue(int pid, int signal, void *value)", other, 0, null),
      ]));`);
    expect(found).toEqual(["done", "EPERM", "EPERM", "EPERM", "EPERM"]);
  });

  it("may go on to make sockets of the families that are named", () => {
    const found = run(`
      const { call } = await import(${JSON.stringify(new URL("./native.ts", import.meta.url).href)});
      const make = (family) => errnoOf(() => call("int socket(int domain, int type, int protocol)", "", family, 2, 0));
      denySystemCalls({ socketFamilies: [2] });
      console.log(JSON.stringify([make(2), make(1), make(10), make(17)]));`);
    expect(found).toEqual(["done", "EPERM", "EPERM", "EPERM"]);
  });

  it("has another root directory in all its threads, also once one of them has entered a mount namespace", () => {
    const directory = mkdtempSync(join(tmpdir(), "root-"));
    const found = run(`
      const roots = () => new Set(fs.readdirSync("/proc/self/task").map((id) => fs.statSync("/proc/self/task/" + id + "/root")).map(({ dev, ino }) => dev + " " + ino));
      inOwnMountNamespace(() => undefined);
      const before = roots().size;
      const { mkdirSync } = fs;
      mkdirSync(${JSON.stringify(join(directory, "proc"))});
      spawnSync("mount", ["--bind", "/proc", ${JSON.stringify(join(directory, "proc"))}]);
      await changeRootOfAllThreads(${JSON.stringify(directory)});
      const pooled = await fs.promises.readdir("/");
      console.log(JSON.stringify({ before, after: roots().size, here: fs.readdirSync("/"), pooled }));`);
    execFileSync("umount", [join(directory, "proc")]);
    rmSync(directory, { recursive: true });
    expect(found).toEqual({ before: 1, after: 1, here: ["proc"], pooled: ["proc"] });
  });

  it("has another root directory in all its threads where they share one", () => {
    const directory = mkdtempSync(join(tmpdir(), "root-"));
    const found = run(`
      const file = fs.openSync(${JSON.stringify(directory)}, fs.constants.O_DIRECTORY);
      await changeRootOfAllThreads("/proc/self/fd/" + file);
      console.log(JSON.stringify({ here: fs.readdirSync("/"), pooled: await fs.promises.readdir("/"), cwd: process.cwd() }));`);
    rmSync(directory, { recursive: true });
    expect(found).toEqual({ here: [], pooled: [], cwd: "/" });
  });
});
