import { dirname, join } from "node:path";
import { isAlive } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { readRecord } from "../harness/faults/victims.ts";
import { KATA_JS } from "../harness/guest-engine.ts";
import { Kata } from "../harness/kata.ts";
import { RUNTIME, SHARE } from "../harness/paths.ts";
import { onTerminal } from "../harness/terminal.ts";

const KATA = join(dirname(RUNTIME), "kata");

interface Report {
  readonly fit: boolean;
  readonly accelerator?: { readonly accelerator: string; readonly reason: string; readonly found?: string };
  readonly prerequisites: readonly { readonly name: string; readonly problem?: string; readonly remedy?: string }[];
}

/** A line of Prometheus's text format. */
const SAMPLE = /^[a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\} [\d.e+]+$/;

describe("kata-runtime for people", () => {
  expectCleanHost({ guestsMayPanic: true });

  it("check tells that this machine can run containers, and how", async () => {
    await using kata = new Kata();
    const report = JSON.parse(await kata.ok(["check", "--json"])) as Report;
    expect(report.fit).toBe(true);
    expect(["kvm", "tcg"]).toContain(report.accelerator?.accelerator);
    const text = await kata.ok(["kata-check"]);
    expect(text).toMatch(/^ok +QEMU +\/usr\/bin\/qemu-system-x86_64 \d+\.\d+/m);
    expect(text).toContain("This machine can run containers. Guests run under");
  });

  it("check remembers whether KVM works, with the time, and tries it anew when that is asked for", async () => {
    await using kata = new Kata();
    const choice = async (...options: string[]): Promise<Report["accelerator"]> =>
      (JSON.parse(await kata.ok(["check", "--json", ...options])) as Report).accelerator;
    const fresh = await choice("--probe");
    expect(fresh?.found).toBeUndefined();
    const again = await choice();
    expect({ ...again, found: undefined }).toEqual({ ...fresh, found: undefined });
    // Where there is no KVM there is nothing to try, or to remember.
    if (again?.reason.includes("cannot be opened") !== true) expect(again?.found).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it("check names what is missing, with what to do, and ends with 1", async () => {
    const nowhere = '[hypervisor.qemu]\npath = "/nowhere/qemu"\nvirtio_fs_daemon = "/nowhere/virtiofsd"\nbogus = 1\n';
    await using kata = Kata.configured(nowhere);
    const { exitCode, stdout, stderr } = await kata.run(["check"]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^MISSING +QEMU +\/nowhere\/qemu is not there: apt-get install qemu-system-x86$/m);
    expect(stdout).toMatch(/^MISSING +virtiofsd +\/nowhere\/virtiofsd is not there: apt-get install \S+$/m);
    expect(stdout).toContain("This machine cannot run containers yet.");
    expect(stderr).toContain("unknown option hypervisor.qemu.bogus is ignored");
    const old = kata.file("old-qemu", "#!/bin/sh\necho QEMU emulator version 2.12.0\n");
    await runCommand("chmod", ["+x", old]);
    kata.globals = ["--config", kata.file("old.toml", `[hypervisor.qemu]\npath = "${old}"\n`)];
    expect((await kata.run(["check"])).stdout).toContain("2.12.0 is older than 6.0");
  });

  it("check names a virtiofsd of either kind by its version, and refuses what is none", async () => {
    await using kata = new Kata();
    expect(await kata.ok(["check"])).toMatch(/^ok +virtiofsd +\/\S*virtiofsd \d+\.\d+/m);
    const checkedWith = async (answer: string): Promise<string> => {
      const program = kata.file("virtiofsd", `#!/bin/sh\necho "${answer}"\n`);
      await runCommand("chmod", ["+x", program]);
      const file = kata.file("virtiofsd.toml", `[hypervisor.qemu]\nvirtio_fs_daemon = "${program}"\n`);
      kata.globals = ["--config", file];
      return (await kata.run(["check"])).stdout;
    };
    expect(await checkedWith("virtiofsd 1.13.2")).toMatch(/^ok +virtiofsd .* 1\.13\.2$/m);
    expect(await checkedWith("virtiofsd backend 1.5.0")).toMatch(/^ok +virtiofsd .* 1\.5\.0$/m);
    expect(await checkedWith("hello")).toMatch(/^MISSING +virtiofsd .* does not name a version of virtiofsd/m);
  });

  it("check finds the programs of the system whatever PATH its caller has", async () => {
    const { stdout } = await runCommand(RUNTIME, ["check"], { env: { PATH: "/nonexistent" } });
    for (const name of ["setpriv", "ip", "tc", "iptables", "cp"])
      expect(stdout).toMatch(new RegExp(`^ok +${name} `, "m"));
  });

  it.each([
    ["an ordinary user", ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], /is an ordinary user/],
    ["root of a user namespace", ["unshare", "--user", "--map-root-user"], /is root of a user namespace/],
    ["root without a capability", ["setpriv", "--bounding-set=-net_admin"], /is root without CAP_NET_ADMIN/],
  ])(
    "%s learns what is missing from check, and from run before anything is made",
    async (_, [as = "", ...how], why) => {
      const checked = await runCommand(as, [...how, RUNTIME, "check"]);
      expect(checked.stdout).toMatch(new RegExp(`^MISSING +privileges +uid \\d+ ${why.source}.*: \\S`, "m"));
      expect(checked.exitCode).toBe(1);
      await using kata = new Kata();
      const { path } = await kata.bundle({ args: ["true"] });
      const run = await runCommand(as, [
        ...how,
        RUNTIME,
        "--root",
        kata.file("root", ""),
        "run",
        "--bundle",
        path,
        kata.id(),
      ]);
      expect(run.stderr).toMatch(why);
      expect(run.exitCode).toBe(1);
    },
  );

  it("env shows what is in force, in TOML and in JSON", async () => {
    await using kata = Kata.configured("[hypervisor.qemu]\ndefault_memory = 777\n");
    const asJson = JSON.parse(await kata.ok(["env", "--json"])) as Record<string, Record<string, unknown>>;
    const reader = "import json, sys, tomllib; print(json.dumps(tomllib.load(sys.stdin.buffer)))";
    const input = await kata.ok(["kata-env"]);
    expect(JSON.parse((await runCommand("python3", ["-c", reader], { input })).stdout)).toEqual(asJson);
    expect(asJson.Hypervisor).toMatchObject({ DefaultMemory: 777, SharedFS: "virtio-fs" });
    expect(asJson.Kernel?.Path).toBe(join(SHARE, "vmlinux"));
    expect(asJson.Runtime?.Path).toBe(RUNTIME);
  });

  it("metrics tells the figures of each container and its VM", async () => {
    await using kata = new Kata();
    expect(await kata.ok(["metrics"])).toBe("");
    const id = await kata.start({ args: ["sleep", "1000"] });
    const created = kata.id();
    await kata.create(created, (await kata.bundle({ args: ["true"] })).path);
    const text = await kata.ok(["metrics"]);
    for (const line of text.trimEnd().split("\n")) if (!line.startsWith("#")) expect(line).toMatch(SAMPLE);
    expect(text).toMatch(new RegExp(`^kata_container_info\\{id="${id}",status="running",pid="\\d+"\\} 1$`, "m"));
    expect(text).toContain(`kata_container_processes{id="${id}"} 1\n`);
    expect(text).toContain(`kata_container_info{id="${created}",status="created"`);
    const memory = new RegExp(`kata_vm_process_pss_bytes\\{id="${id}",pid="\\d+",command="qemu-system-x86"\\} (\\d+)`);
    expect(Number(memory.exec(text)?.[1])).toBeGreaterThan(50 * 2 ** 20);
    await kata.ok(["delete", "--force", created]);
  });

  it("logs tells what the VM said, each line with its source, and how it ended", async () => {
    await using kata = new Kata();
    const id = await kata.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        const linux = spec.linux as Record<string, unknown>;
        linux.maskedPaths = [];
        linux.readonlyPaths = [];
      },
    });
    expect(await kata.ok(["logs", id])).toMatch(/^agent +kata-agent: ready/m);
    expect(await kata.ok(["logs", "--source", "vmm", id])).toBe("");
    const speak = "printf 'a \\033[31mred\\033[0m word\\n' > /dev/kmsg";
    await kata.run(["exec", id, "sh", "-c", `${speak}; echo c > /proc/sysrq-trigger; sleep 1000`]);
    const { vm } = readRecord(kata, id);
    while (vm.processes.some(isAlive)) await new Promise(setImmediate);
    expect(await kata.ok(["logs", "--source", "kernel", id])).toContain("Kernel panic");
    const all = await kata.ok(["logs", "--json", id]);
    const lines = all.split("\n").map((line) => JSON.parse(line) as { source: string; text: string });
    expect(lines.at(-1)).toEqual({ source: "runtime", text: expect.stringContaining("qemu-exited") as string });
    expect(all).not.toContain("\u001b");
    await kata.ok(["delete", id]);
  });

  it("debug looks around in the guest, beside its containers, and leaves nothing there", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1234"] });
    const look = "readlink /proc/1/exe; dmesg | grep -c 'Linux version'; ls /run/kata-containers/bundles";
    const seen = (await kata.ok(["debug", id, "sh", "-c", look])).split("\n");
    expect(seen).toEqual([KATA_JS, "1", expect.stringMatching(/^debug-/), id]);
    expect(await kata.ok(["debug", id, "ps", "-eo", "args"])).toContain("sleep 1234");
    expect(
      await kata.run(["debug", id, "sh", "-c", "ls /run/kata-containers/guest-root | wc -l; exit 7"]),
    ).toMatchObject({
      exitCode: 7,
      stdout: "1",
    });
    const { terminal, exited } = onTerminal(RUNTIME, ["--root", kata.root, "debug", id], { rows: 31, columns: 97 });
    using person = terminal;
    await person.until(/[#$] (?:.\[(?:6n|J))*$/);
    person.type("stty size; tty; exit 3\r");
    await person.until(/\r\n31 97\r\n\/dev\/pts\/\d+\r\n/);
    expect(await exited).toBe(3);
    await kata.ok(["kill", id, "KILL"]);
    await kata.until(id, "stopped");
    const refused = await kata.run(["debug", id]);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("it is stopped") as string });
    await kata.ok(["delete", id]);
  });

  it("every command explains itself, by --help, -h and help", async () => {
    const usage = (await runCommand(RUNTIME, ["--help"])).stdout;
    const verbs = [...(usage.split("commands:\n")[1]?.split("\n\n")[0] ?? "").matchAll(/^ {2}(\S+)/gm)];
    expect(verbs.length).toBeGreaterThan(20);
    for (const [, verb = ""] of verbs) {
      const page = await runCommand(RUNTIME, [verb, "--help"]);
      expect(page, verb).toMatchObject({ exitCode: 0, stderr: "" });
      expect(page.stdout).toMatch(new RegExp(`^${verb}: .*\\n\\nusage: kata-runtime \\[global options\\] ${verb}`));
    }
    const kill = (await runCommand(RUNTIME, ["kill", "-h"])).stdout;
    expect((await runCommand(RUNTIME, ["help", "kill"])).stdout).toBe(kill);
  });

  it("bash completes commands, options and containers", async () => {
    const script = (await runCommand(RUNTIME, ["completion", "bash"])).stdout;
    const complete = async (...words: readonly string[]): Promise<string[]> => {
      const line = words.map((word) => JSON.stringify(word)).join(" ");
      const call = `kata-runtime() { echo web-1; }\nCOMP_WORDS=(${line}) COMP_CWORD=${String(words.length - 1)}\n`;
      const program = `${script}\n${call}_kata_runtime; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return (await runCommand("bash", ["-c", program])).stdout.trim().split("\n");
    };
    expect(await complete("kata-runtime", "che")).toEqual(["check", "checkpoint"]);
    expect(await complete("kata-runtime", "--debug", "exec", "--no-")).toEqual(["--no-new-privs", "--no-subreaper"]);
    expect(await complete("kata-runtime", "kill", "web")).toEqual(["web-1"]);
  });

  it("bash completes kata's, with containers, and images whose names have colons", async () => {
    const script = (await runCommand(KATA, ["completion", "bash"])).stdout;
    const complete = async (line: string): Promise<string[]> => {
      // As bash has the words of a line: a colon is one of its own.
      const words = line.split(/ |(:)/).filter(Boolean);
      const call = [
        'kata() { if [ "$1" = images ]; then echo alpine:3.20; else echo web-1; fi; }',
        `COMP_WORDS=(${words.map((word) => JSON.stringify(word)).join(" ")}) COMP_CWORD=${String(words.length - 1)}`,
        `COMP_LINE=${JSON.stringify(line)} COMP_POINT=${String(line.length)}`,
      ].join("\n");
      const program = `${script}\n${call}\n_kata; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return (await runCommand("bash", ["-c", program])).stdout.trim().split("\n");
    };
    expect(await complete("kata vol")).toEqual(["volume"]);
    expect(await complete("kata rm web")).toEqual(["web-1"]);
    expect(await complete("kata rmi alp")).toEqual(["alpine:3.20"]);
    expect(await complete("kata rmi alpine:3")).toEqual(["3.20"]);
    expect(await complete("kata system p")).toEqual(["prune"]);
    expect(await complete("kata run --cap-d")).toEqual(["--cap-drop"]);
    for (const shell of ["zsh", "fish"]) {
      const other = await runCommand(KATA, ["completion", shell]);
      expect(other).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining("kata images --format name") as string,
      });
    }
  });

  it("zsh completes them, too, with what each is for", async () => {
    const script = (await runCommand(RUNTIME, ["completion", "zsh"])).stdout;
    // Outside of its completion zsh has no such commands: these print all that is offered.
    const offered = `
compdef() { }
_files() { }
compadd() { shift; print -rl -- "$@" }
_describe() { print -rl -- \${(P)@[-1]} }
kata-runtime() { echo web-1 }
`;
    const complete = async (...words: readonly string[]): Promise<string[]> => {
      const line = words.map((word) => JSON.stringify(word)).join(" ");
      const program = `${offered}\n${script}\nwords=(${line}) CURRENT=${String(words.length)}\n_kata-runtime`;
      const result = await runCommand("zsh", ["-f", "-c", program]);
      expect(result).toMatchObject({ exitCode: 0, stderr: "" });
      return result.stdout.split("\n");
    };
    const first = await complete("kata-runtime", "");
    expect(first).toContain("gc:remove what belongs to no living sandbox");
    expect(first).toContain("--debug:log each step");
    expect(first.filter((line) => !/^[-\w]+:./.test(line))).toEqual([]);
    expect(await complete("kata-runtime", "--debug", "kill", "")).toContain("web-1");
    expect(await complete("kata-runtime", "gc", "--")).toContain("--dry-run:only print what would be removed");
  });

  it("fish completes them, too", async () => {
    const script = (await runCommand(RUNTIME, ["completion", "fish"])).stdout;
    const complete = async (line: string): Promise<string[]> => {
      const program = `${script}\nfunction kata-runtime; echo web-1; end\ncomplete -C ${JSON.stringify(line)}`;
      const result = await runCommand("fish", ["--no-config", "-c", program]);
      expect(result).toMatchObject({ exitCode: 0, stderr: "" });
      return result.stdout.split("\n");
    };
    const checks = await complete("kata-runtime che");
    expect(checks.map((line) => line.split("\t")[0])).toEqual(["check", "checkpoint"]);
    expect(await complete("kata-runtime gc --dry")).toEqual(["--dry-run\tonly print what would be removed"]);
    expect(await complete("kata-runtime kill web")).toEqual(["web-1"]);
  });
});
