import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { pythonRootfs } from "../harness/images.ts";
import type { Kata } from "../harness/kata.ts";
import { RUNTIMES } from "../harness/runtimes.ts";
import { consoleSocket, onTerminal, type Terminal } from "../harness/terminal.ts";

/** Busybox asks where the cursor is, after its prompt. */
/** Then it asks where the cursor is, or draws its line again because the window has just got its size. */
const PROMPT = /[#$] (?:.\[(?:6n|J))*$/;
/** Says when it is up: before that a key is the shell's. */
const SLEEP = "sh -c \"echo u''p; exec sleep 1000\"\r";
const SIZE = { rows: 31, columns: 97 };

describe.each(RUNTIMES)("terminals under %s", (_name, open) => {
  expectCleanHost();

  /** A container whose first process is a shell on a terminal that an engine holds. */
  async function shell(runtime: Kata): Promise<{ id: string; terminal: Terminal }> {
    const id = runtime.id();
    const { path } = await runtime.bundle({
      args: ["sh"],
      env: ["TERM=xterm"],
      edit: (spec) => {
        spec.root.readonly = false;
        spec.process.terminal = true;
        spec.process.consoleSize = { height: SIZE.rows, width: SIZE.columns };
      },
    });
    const socket = await consoleSocket(join(runtime.directory, "console.sock"));
    await runtime.create(id, path, ["--console-socket", socket.path]);
    const terminal = await socket.terminal;
    await runtime.ok(["start", id]);
    await terminal.until(PROMPT);
    return { id, terminal };
  }

  it("of a container: size, resize, echo, job control, full-screen programs, hang-up", async () => {
    await using runtime = open();
    const { id, terminal } = await shell(runtime);

    terminal.type("tty; stty size\r");
    expect(await terminal.until(/\/dev\/\S+\r\n\d+ \d+\r\n/)).toMatch(/\/(console|pts\/0)\r\n31 97\r\n$/);
    terminal.type(`sh -c "trap 'stty size; exit' WINCH; echo u''p; while :; do sleep 0.1; done"\r`);
    await terminal.until(/\r\nup\r\n/);
    terminal.resize({ rows: 50, columns: 132 });
    await terminal.until(/50 132\r\n/);
    await terminal.until(PROMPT);
    terminal.type("trap - WINCH; stty -echo; echo un''seen; stty echo\r");
    await terminal.until(/unseen\r\n/);
    await terminal.until(PROMPT);

    // ^C ends what runs, and not the shell; ^Z stops it, fg goes on with it.
    terminal.type(SLEEP);
    await terminal.until(/\r\nup\r\n/);
    terminal.type("\x03");
    await terminal.until(PROMPT);
    terminal.type("echo $?\r");
    await terminal.until(/\r\n130\r\n/);
    terminal.type("sh -c \"echo u''p; exec cat\"\r");
    await terminal.until(/\r\nup\r\n/);
    terminal.type("one\r");
    await terminal.until(/one\r\none\r\n/);
    terminal.type("\x1a");
    await terminal.until(/Stopped/);
    terminal.type("fg\r");
    await terminal.until(/fg\r\nsh -c.*cat.*\r\n/);
    terminal.type("two\r");
    await terminal.until(/two\r\ntwo\r\n/);
    terminal.type("\x04");
    await terminal.until(PROMPT);

    terminal.type("vi /tmp/file\r");
    await terminal.until(/~/);
    terminal.type("iwritten in vi");
    await terminal.until(/written in vi/);
    terminal.type("\x1b");
    await terminal.until(/- \/tmp\/file/);
    terminal.type(":wq\r");
    await terminal.until(PROMPT);
    terminal.type("cat /tmp/file\r");
    await terminal.until(/\r\nwritten in vi\r\n/);
    terminal.type("seq 500 | less\r");
    await terminal.until(/40\r\n/);
    terminal.type("G");
    await terminal.until(/500\r\n/);
    terminal.type("q");
    await terminal.until(PROMPT);
    // The engine's end goes away: the shell gets SIGHUP, and the container is over.
    terminal[Symbol.dispose]();
    await runtime.until(id, "stopped");
    await runtime.ok(["delete", id]);
  });

  it("of an exec: handed to a console socket, or the one that the runtime is started on", async () => {
    await using runtime = open();
    const id = await runtime.start({ args: ["sleep", "1000"], image: await pythonRootfs() });
    const socket = await consoleSocket(join(runtime.directory, "exec.sock"));
    const command = ["sh", "-c", "tty; read line; stty size; echo got $line; exit 7"];
    const options = ["--tty", "--detach", "--console-socket", socket.path];
    expect((await runtime.run(["exec", ...options, id, ...command], { detachedStreams: true })).exitCode).toBe(0);
    using detached = await socket.terminal;
    await detached.until(/\/dev\/pts\/\d+\r\n/);
    detached.resize(SIZE);
    detached.type("typed\r");
    await detached.until(/typed\r\n31 97\r\ngot typed\r\n/);
    await detached.end();

    const args = ["--root", runtime.root, "exec", "--tty", id, ...command];
    const { terminal, exited } = onTerminal(runtime.program, args, SIZE);
    using person = terminal;
    await person.until(/\/dev\/pts\/\d+\r\n/);
    person.type("typed\r");
    await person.until(/typed\r\n31 97\r\ngot typed\r\n/);
    expect(await exited).toBe(7);
    // The person's own terminal passes all on as it is: it would make two carriage returns of one.
    expect(person.text).not.toContain("\r\r\n");

    // A terminal inside the terminal. runc sets the outer one's size after it has started the process.
    const sized = 'while [ "$(stty size)" = "0 0" ]; do sleep 0.1; done; exec "$@"';
    const scriptArgs = ["-q", "-e", "-c", "tty; stty size; echo in script; exit 3", "/dev/null"];
    const script = ["sh", "-c", sized, "sh", "script", ...scriptArgs];
    const nested = onTerminal(runtime.program, ["--root", runtime.root, "exec", "--tty", id, ...script], SIZE);
    using inner = nested.terminal;
    await inner.until(/\/dev\/pts\/\d+\r+\n31 97\r+\nin script\r+\n/);
    expect(await nested.exited).toBe(3);
  });

  it("of a run in the foreground: raw while it lasts, as it was afterwards, and gone with its window", async () => {
    await using runtime = open();
    const edit = (spec: { process: { terminal: boolean } }): void => {
      spec.process.terminal = true;
    };
    const { path } = await runtime.bundle({ args: ["sh"], edit });
    const run = (id: string): string[] => ["--root", runtime.root, "run", "--bundle", path, id];
    const shown = ["sh", "-c", '"$@"; stty -a', "sh", runtime.program, ...run("fore")];
    const first = onTerminal(shown[0] ?? "", shown.slice(1), SIZE);
    await first.terminal.until(PROMPT);
    first.terminal.type("stty size\r");
    await first.terminal.until(/\r\n31 97\r\n/);
    first.terminal.resize({ rows: 20, columns: 60 });
    first.terminal.type("sleep 0.2; stty size\r");
    await first.terminal.until(/\r\n20 60\r\n/);
    first.terminal.type(SLEEP);
    await first.terminal.until(/\r\nup\r\n/);
    first.terminal.type("\x03");
    await first.terminal.until(PROMPT);
    first.terminal.type("exit 5\r");
    await first.terminal.until(/ icanon[\s\S]* echo /);
    await first.exited;
    first.terminal[Symbol.dispose]();

    const trap = "trap 'exit 3' HUP; echo up; while :; do sleep 0.1; done";
    const window = await runtime.bundle({ args: ["sh", "-c", trap], edit });
    const second = onTerminal(
      runtime.program,
      ["--root", runtime.root, "run", "--bundle", window.path, "window"],
      SIZE,
    );
    await second.terminal.until(/up/);
    second.terminal[Symbol.dispose]();
    await second.exited;
    expect((await runtime.run(["state", "window"])).exitCode).toBe(1);
  });

  it("are refused where they make no sense, in the same cases", async () => {
    await using runtime = open();
    const { path } = await runtime.bundle({ args: ["true"] });
    const refused = await runtime.run(["create", "--bundle", path, "--console-socket", "/nonexistent", "no-terminal"]);
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("cannot use console socket") as string,
    });
    const withTerminal = await runtime.bundle({
      args: ["true"],
      edit: (spec) => {
        spec.process.terminal = true;
      },
    });
    const without = await runtime.run(["create", "--bundle", withTerminal.path, "no-socket"]);
    expect(without).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("cannot allocate tty") as string });
    expect((await runtime.run(["run", "--bundle", withTerminal.path, "no-tty"])).exitCode).toBe(1);
    const nobody = await runtime.run([
      "create",
      "--bundle",
      withTerminal.path,
      "--console-socket",
      "/none.sock",
      "deaf",
    ]);
    expect(nobody.exitCode).toBe(1);
    expect(await runtime.ok(["list", "-q"])).toBe("");
  });
});
