import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import type { Kata } from "../harness/kata.ts";
import { mapUsers } from "../harness/mapped-users.ts";
import { RUNTIMES } from "../harness/runtimes.ts";

/** What a script in the container printed, by the words before the colons. */
async function facts(
  runtime: Kata,
  script: string,
  edit: (spec: EditableSpec) => void,
): Promise<Record<string, string>> {
  const id = runtime.id();
  const { path } = await runtime.bundle({ args: ["sh", "-c", script], edit });
  const output = await runtime.ok(["run", "--bundle", path, id]);
  return Object.fromEntries(
    output.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}

const CAPABILITIES = {
  bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
  permitted: ["CAP_KILL", "CAP_NET_RAW"],
  effective: ["CAP_KILL"],
  inheritable: ["CAP_KILL", "CAP_NET_RAW"],
  ambient: ["CAP_KILL", "CAP_NET_RAW"],
};

const PROCESS_SCRIPT = `
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs)' /proc/self/status
echo umask: $(umask); echo cwd: $(pwd); echo nofile: $(ulimit -S -n) $(ulimit -H -n); echo core: $(ulimit -c)
echo oom: $(cat /proc/self/oom_score_adj); echo host: $(hostname); echo variable: "$SPACED"; echo argument: "$0"
`;

describe.each(RUNTIMES)("config.json under %s", (name, open) => {
  expectCleanHost();

  it("process: user, groups, umask, directory, environment, capabilities, limits, privileges, oom score", async () => {
    await using runtime = open();
    const told = await facts(runtime, PROCESS_SCRIPT, (spec) => {
      spec.hostname = "named";
      spec.process = {
        ...spec.process,
        args: [...spec.process.args, "zeroth argument"],
        user: { uid: 1000, gid: 100, additionalGids: [5, 6], umask: 0o027 } as EditableSpec["process"]["user"],
        cwd: "/tmp",
        env: ["PATH=/bin", "SPACED= a  b=c "],
        capabilities: CAPABILITIES,
        rlimits: [
          { type: "RLIMIT_NOFILE", soft: 256, hard: 512 },
          { type: "RLIMIT_CORE", soft: 0, hard: 0 },
        ],
        noNewPrivileges: true,
        oomScoreAdj: 123,
      };
    });
    expect(told).toMatchObject({
      Uid: "1000\t1000\t1000\t1000",
      Gid: "100\t100\t100\t100",
      Groups: expect.stringMatching(/^(5 6 100|5 6)$/) as string,
      NoNewPrivs: "1",
      umask: "0027",
      cwd: "/tmp",
      nofile: "256 512",
      core: "0",
      oom: "123",
      host: "named",
      variable: "a  b=c",
      argument: "zeroth argument",
    });
    const mask = (...bits: number[]): string =>
      bits
        .reduce((sum, bit) => sum + 2 ** bit, 0)
        .toString(16)
        .padStart(16, "0");
    const [chown, kill, netRaw] = [0, 5, 13];
    expect(told).toMatchObject({
      CapBnd: mask(chown, kill, netRaw),
      CapPrm: mask(kill, netRaw),
      CapInh: mask(kill, netRaw),
      CapAmb: mask(kill, netRaw),
    });
  });

  it("limits that it does not name are those of the caller, in create and in exec", async () => {
    await using runtime = open();
    const script = "ulimit -S -n; ulimit -H -n; ulimit -S -c; ulimit -H -c; ulimit -S -s; ulimit -S -l; ulimit -S -u";
    const { path } = await runtime.bundle({
      args: ["sh", "-c", `${script}; read line`],
      edit: (spec) => {
        spec.process.rlimits = [{ type: "RLIMIT_CORE", soft: 0, hard: 4096 }];
      },
    });
    const limits = ["--nofile=2000:2500", "--core=8192:8192", "--stack=4194304", "--memlock=65536", "--nproc=5000"];
    const called = async (...args: readonly string[]): Promise<string> => {
      const command = [...limits, runtime.program, "--root", runtime.root, ...args];
      const { stdout, stderr } = await runCommand("prlimit", command, { input: "\n" });
      return stdout === "" ? stderr : stdout;
    };
    // Debian 12's runc is built with a Go that raises its own soft limit, and passes that on.
    const soft = name === "runc" ? "2500" : "2000";
    const told = (core: readonly string[]): string => [soft, "2500", ...core, "4096", "64", "5000"].join("\n");
    expect(await called("run", "--bundle", path, runtime.id())).toBe(told(["0", "8"]));
    const id = await runtime.start({ args: ["sleep", "1000"] });
    const process = { args: ["sh", "-c", script], cwd: "/", env: ["PATH=/bin"], user: { uid: 0, gid: 0 } };
    const file = runtime.file("process.json", JSON.stringify(process));
    expect(await called("exec", "--process", file, id)).toBe(told(["16", "16"]));
  });

  it("HOME is the user's of the container's passwd, and / for one who is not in it", async () => {
    await using runtime = open();
    const id = await runtime.start({
      args: ["sh", "-c", 'echo "$HOME" >/tmp/home; exec sleep 1000'],
      edit: (spec) => {
        spec.process.user = { uid: 4711, gid: 0 };
        spec.mounts.push({ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["mode=1777"] });
      },
    });
    const said = ["sh", "-c", 'until [ -s /tmp/home ]; do sleep 0.1; done; cat /tmp/home; echo "$HOME"'];
    expect(await runtime.ok(["exec", "--user", "0", id, ...said])).toBe("/\n/root");
    expect(await runtime.ok(["exec", "--user", "4712", id, ...said])).toBe("/\n/");
  });

  it("users may be mapped, with a hostname, a message queue and shared memory", async () => {
    await using runtime = open();
    const script = `
echo host: $(hostname); echo map: $(cat /proc/self/uid_map); echo id: $(id -u):$(id -g)
for t in proc mqueue devpts; do echo $t: $(grep -c " $t " /proc/mounts); done
hostname changed; echo changed: $(hostname); touch /tmp/x && echo written: $(stat -c %u /tmp/x)
`;
    const told = await facts(runtime, script, (spec) => {
      spec.hostname = "mapped";
      spec.process.capabilities = {
        ...CAPABILITIES,
        bounding: ["CAP_SYS_ADMIN"],
        effective: ["CAP_SYS_ADMIN"],
        permitted: ["CAP_SYS_ADMIN"],
        inheritable: [],
        ambient: [],
      };
      spec.root.readonly = false;
      spec.mounts.push({ destination: "/tmp", type: "tmpfs", source: "tmpfs" });
      mapUsers(spec, runtime);
    });
    expect(told).toMatchObject({
      host: "mapped",
      map: "0 100000 65536",
      id: "0:0",
      proc: expect.stringMatching(/^[1-9]/) as string,
      mqueue: "1",
      devpts: "1",
      changed: "changed",
      written: "0",
    });
  });

  it("mounts: files, directories, read-only, tmpfs, propagation; masked and read-only paths; a read-only root", async () => {
    await using runtime = open();
    const source = join(runtime.directory, "source");
    mkdirSync(source);
    writeFileSync(join(source, "file"), "from the host\n");
    const script = `
w() { if (echo x > "$1") 2>/dev/null; then echo "$1: written"; else echo "$1: refused"; fi; }
echo file: $(cat /etc/bound); w /etc/bound; w /rw/new; w /ro/new; w /root-is-ro; w /proc/sys/kernel/printk
echo tmpfs: $(grep ' /scratch ' /proc/mounts | cut -d ' ' -f 3,4); echo mode: $(stat -c %a /scratch)
echo slave: $(grep -c ' /rw .*master:' /proc/self/mountinfo)
echo masked: $(ls /masked | wc -l) $(cat /proc/keys | wc -c)
for t in proc sysfs devpts mqueue; do echo $t: $(grep -c " $t " /proc/mounts | sed 's/[1-9][0-9]*/mounted/'); done
echo shm: $(grep -c ' /dev/shm tmpfs' /proc/mounts); echo null: $(stat -c %t:%T /dev/null)
`;
    const told = await facts(runtime, script, (spec) => {
      spec.root.readonly = true;
      mkdirSync(join(source, "masked"), { recursive: true });
      writeFileSync(join(source, "masked", "secret"), "");
      spec.mounts.push(
        { destination: "/etc/bound", type: "bind", source: join(source, "file"), options: ["bind", "ro"] },
        { destination: "/rw", type: "bind", source, options: ["rbind", "rslave"] },
        { destination: "/ro", type: "bind", source, options: ["rbind", "ro"] },
        { destination: "/masked", type: "bind", source: join(source, "masked"), options: ["bind"] },
        { destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["nosuid", "size=1m", "mode=1711"] },
      );
      const linux = spec.linux as { maskedPaths: string[]; readonlyPaths: string[] };
      linux.maskedPaths.push("/masked");
    });
    expect(told).toMatchObject({
      file: "from the host",
      "/etc/bound": "refused",
      "/rw/new": "written",
      "/ro/new": "refused",
      "/root-is-ro": "refused",
      "/proc/sys/kernel/printk": "refused",
      tmpfs: expect.stringMatching(/^tmpfs rw,nosuid,.*size=1024k,mode=1711/) as string,
      mode: "1711",
      masked: "0 0",
      proc: "mounted",
      sysfs: "mounted",
      devpts: "mounted",
      mqueue: "mounted",
      shm: "1",
      null: "1:3",
    });
    expect(readFileSync(join(source, "new"), "utf8")).toBe("x\n");
  });

  it("devices, device rules, sysctl, seccomp and root propagation", async () => {
    await using runtime = open();
    const script = `
o() { if (exec 3<>"$1") 2>/dev/null; then echo "$1: opened"; else echo "$1: refused"; fi; }
echo device: $(stat -c '%t:%T %a %u %g' /dev/chosen); o /dev/chosen; o /dev/loops
echo sysctl: $(cat /proc/sys/net/ipv4/ip_unprivileged_port_start) $(cat /proc/sys/kernel/msgmax)
mkdir /tmp/d 2>/tmp/e; echo mkdir: $(sed 's/.*: //' /tmp/e)
echo root: $(grep ' / / ' /proc/self/mountinfo | grep -c 'shared:') $(cut -d ' ' -f 5,7 /proc/self/mountinfo | head -n 1)
`;
    const told = await facts(runtime, script, (spec) => {
      spec.mounts.push({ destination: "/tmp", type: "tmpfs", source: "tmpfs" });
      spec.linux = {
        ...(spec.linux as object),
        devices: [
          { path: "/dev/chosen", type: "c", major: 10, minor: 229, fileMode: 0o666, uid: 7, gid: 8 },
          { path: "/dev/loops", type: "c", major: 10, minor: 237, fileMode: 0o666, uid: 0, gid: 0 },
        ],
        resources: {
          devices: [
            { allow: false, access: "rwm" },
            { allow: true, type: "c", major: 10, minor: 229, access: "rwm" },
            { allow: true, type: "c", major: 10, minor: 237, access: "m" },
          ],
        },
        sysctl: { "net.ipv4.ip_unprivileged_port_start": "77", "kernel.msgmax": "9000" },
        rootfsPropagation: "slave",
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          architectures: ["SCMP_ARCH_X86_64"],
          syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 38 }],
        },
      };
    });
    expect(told).toMatchObject({
      device: "a:e5 666 7 8",
      "/dev/chosen": "opened",
      "/dev/loops": "refused",
      sysctl: "77 9000",
      mkdir: "Function not implemented",
    });
  });
});
