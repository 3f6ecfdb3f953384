import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "@kata-ts/linux";
import { beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { commandOf, readRecord } from "../harness/faults/victims.ts";
import { GuestClock } from "../harness/guest-clock.ts";
import { pythonRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";
import { IDLE, startMember, startSandbox } from "../harness/pods.ts";
import { vsockConfiguration } from "../harness/vsock.ts";

const MIB = 1024 ** 2;
/** What a busy machine's answers may be late by. How exactly a clock is set by them is the agent's unit test. */
const CLOCK_BOUND_MS = 100;
const PYTHON = "/usr/bin/python3";

/** Connects to the agent's port by a context id, and says what the agent answers. */
const CALL_AGENT = `
import socket, sys
s = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
s.settimeout(10)
try:
    s.connect((int(sys.argv[1]), 1024))
    s.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n")
    print("answer", s.recv(64))
except OSError as error:
    print("refused", error.strerror)
`;

describe("a guest that is reached over vsock", () => {
  expectCleanHost();

  let toml = "";

  beforeAll(async () => {
    toml = await vsockConfiguration();
  });

  it("runs containers, with their streams, statuses and the host's time, and has no serial port", async () => {
    await using kata = Kata.configured(toml);
    const { path } = await kata.bundle({ args: ["sh", "-c", "cat; echo err >&2; ls /sys/class/virtio-ports; exit 7"] });
    const { stdout, stderr, exitCode } = await kata.run(["run", "--bundle", path, kata.id()], { input: "in\n" });
    expect({ stdout, exitCode }).toEqual({ stdout: "in", exitCode: 7 });
    expect(stderr).toContain("err");
    const id = await kata.start({ args: ["sleep", "1000"], image: await pythonRootfs() });
    const { vm } = readRecord(kata, id) as unknown as { vm: { dir: string; agentUrl: string } };
    expect(vm.agentUrl).toBe(`hvsock://${join(vm.dir, "vsock", "agent.sock")}:1024`);
    expect(existsSync(join(vm.dir, "proxy.sock"))).toBe(false);
    await using clock = new GuestClock(kata, id);
    expect(Math.abs(await clock.behind())).toBeLessThan(CLOCK_BOUND_MS);
    await kata.ok(["delete", "--force", id]);
  });

  it("carries 32 MiB each way, and a hundred processes' streams, without loss", async () => {
    await using kata = Kata.configured(toml);
    const id = await kata.start(IDLE_CONTAINER);
    const data = randomBytes(32 * MIB);
    const echoed = await kata.run(["exec", id, "cat"], { input: data });
    expect(sha256(echoed.stdoutBytes)).toBe(sha256(data));
    const lines = Array.from({ length: 100 }, (_, index) => `line ${String(index)}`);
    for (let first = 0; first < lines.length; first += 10) {
      const some = lines.slice(first, first + 10);
      expect(await Promise.all(some.map((line) => kata.ok(["exec", id, "echo", line])))).toEqual(some);
    }
    // A reader that stops stops its writer; the others go on.
    const full = kata.run(["exec", id, "sh", "-c", "head -c 8388608 /dev/zero | sha256sum"]);
    expect(await kata.ok(["exec", id, "echo", "beside"])).toBe("beside");
    expect((await full).exitCode).toBe(0);
    await kata.ok(["delete", "--force", id]);
  });

  it("refuses all but the host: its own containers, by loopback and by its own context id", async () => {
    await using kata = Kata.configured(toml);
    const id = await kata.start({ args: ["sleep", "1000"], image: await pythonRootfs() });
    // Loopback, and what the daemon's guests have.
    for (const each of ["1", "3"]) {
      const said = await kata.ok(["exec", id, PYTHON, "-c", CALL_AGENT, each]);
      expect(said, `context id ${each}`).toMatch(/^(answer b''|refused (?:Connection reset by peer|Broken pipe))$/);
    }
    // Nothing of the host's listens for a guest.
    expect(await kata.ok(["exec", id, PYTHON, "-c", CALL_AGENT, "2"])).toMatch(/^refused /);
    expect(await kata.ok(["logs", id])).toContain("a vsock connection from context id");
    await kata.ok(["delete", "--force", id]);
  });

  it("holds a pod", async () => {
    await using kata = Kata.configured(toml);
    const sandbox = await startSandbox(kata);
    const member = await startMember(kata, sandbox, IDLE);
    expect(kata.vmDirectory(member)).toBe(kata.vmDirectory(sandbox));
    expect(await kata.ok(["exec", member, "hostname"])).toBe("podhost");
    for (const id of [member, sandbox]) await kata.ok(["delete", "--force", id]);
  });

  it.each(["vhost-device-vsock", "qemu-system", "kata-proxy"])(
    "ends with its %s, however that dies, and leaves nothing",
    async (program) => {
      await using kata = Kata.configured(toml);
      const id = await kata.start(IDLE_CONTAINER);
      const { vm, shim } = readRecord(kata, id);
      const victim = vm.processes.find(({ pid }) => commandOf(pid).includes(program));
      if (victim === undefined) throw new Error(`the VM has no ${program}`);
      process.kill(victim.pid, "SIGKILL");
      await kata.until(id, "stopped");
      while ([...vm.processes, shim].some(isAlive)) await new Promise(setImmediate);
      await kata.ok(["delete", id]);
    },
  );

  it("loses a process with its shim", async () => {
    await using kata = Kata.configured(toml);
    const id = await kata.start(IDLE_CONTAINER);
    process.kill(readRecord(kata, id).shim.pid, "SIGKILL");
    await kata.until(id, "stopped");
    await kata.ok(["delete", id]);
  });

  it("stands in what check and env print, and does not go with templates", async () => {
    await using kata = Kata.configured(toml);
    const environment = JSON.parse(await kata.ok(["env", "--json"])) as { Hypervisor: { UseVSock: boolean } };
    expect(environment.Hypervisor.UseVSock).toBe(true);
    expect(await kata.ok(["check"])).toMatch(/vsock .*vhost-device-vsock/);
    await using both = Kata.configured(`${toml}[factory]\nenable_template = true\n`);
    const { path } = await both.bundle({ args: ["true"] });
    const refused = await both.run(["run", "--bundle", path, both.id()]);
    expect(refused.stderr).toContain("use_vsock does not go with enable_template");
  });

  it.skipIf(existsSync("/dev/vhost-vsock"))(
    "is reached over a serial port where there is no vsock, with a warning",
    async () => {
      await using kata = Kata.configured("[hypervisor.qemu]\nuse_vsock = true\n");
      const { path } = await kata.bundle({ args: ["echo", "by the serial port"] });
      const { stdout, stderr } = await kata.run(["run", "--bundle", path, kata.id()]);
      expect(stdout).toBe("by the serial port");
      expect(stderr).toContain("use_vsock has no effect: this host has no /dev/vhost-vsock");
    },
  );
});

const IDLE_CONTAINER = { args: ["sleep", "10000"] };

function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
