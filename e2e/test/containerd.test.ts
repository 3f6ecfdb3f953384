import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Containerd } from "../harness/engines/containerd.ts";
import { RUNTIME } from "../harness/paths.ts";

let containerd: Containerd;

beforeAll(async () => {
  containerd = await Containerd.start();
});

afterAll(async () => {
  await containerd[Symbol.asyncDispose]();
});

describe.each([
  ["kata-runtime", RUNTIME],
  ["runc", "/usr/sbin/runc"],
])("containerd's ctr with %s", (name, runtime) => {
  expectCleanHost();

  const using = ["--runtime", "io.containerd.runc.v2", "--runc-binary", runtime];

  it("runs a container with its streams and its status", async () => {
    // ctr tells no task of the end of its own stdin.
    const script = "read line; echo $line; echo to stderr >&2; exit 4";
    const command = ["run", "--rm", ...using, "e2e.test/busybox:latest", `run-${name}`, "sh", "-c", script];
    const result = await containerd.ctr(command, { input: "to stdin\n" });
    expect([result.stdout, result.stderr]).toEqual(["to stdin", expect.stringContaining("to stderr")]);
    expect(result.exitCode).toBe(4);
  });

  it("gives a container its terminal", async () => {
    const script = 'until stty size | grep "33 44"; do sleep 0.1; done; read a; echo you said $a';
    const command = [
      "run",
      "--rm",
      "--tty",
      ...using,
      "e2e.test/busybox:latest",
      `terminal-${name}`,
      "sh",
      "-c",
      script,
    ];
    expect(await containerd.inTerminal(...command)).toMatch(/33 44.*you said yes/s);
  });

  it("execs, pauses, resumes, measures, kills and deletes one", async () => {
    const id = `task-${name}`;
    await containerd.ok("run", "--detach", ...using, "e2e.test/python:latest", id, "python3", "-c", SLEEPER);
    const script = `${WHEN_IT_LISTENS}; echo from exec; exit 8`;
    const exec = await containerd.ctr(["task", "exec", "--exec-id", "e1", id, "sh", "-c", script]);
    expect([exec.stdout, exec.exitCode]).toEqual(["from exec", 8]);
    await containerd.ok("task", "pause", id);
    expect(await containerd.ok("task", "ls")).toMatch(new RegExp(`${id} +\\d+ +PAUSED`));
    await containerd.ok("task", "resume", id);
    expect(await containerd.ok("task", "metrics", id)).toMatch(/memory.usage_in_bytes +\d{6,}/);
    expect(await containerd.ok("task", "ps", id)).toMatch(/PID +INFO\n\d+/);
    await containerd.ok("task", "kill", "--signal", "SIGTERM", id);
    while (!(await containerd.ok("task", "ls")).includes("STOPPED"));
    expect((await containerd.ctr(["task", "delete", id])).stderr).toMatch(/exit with non-zero exit code 3/);
    await containerd.ok("container", "delete", id);
  });
});

/** Says when it listens: before that, a process 1 does not get SIGTERM at all. */
const SLEEPER =
  "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); open('/listens', 'w'); signal.pause()";
const WHEN_IT_LISTENS = "until [ -e /listens ]; do sleep 0.1; done";
