import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ENGINES, type Engine, SNIPPETS } from "./engines.ts";

const RUNTIME = '/opt/a "quoted" path/kata-runtime';
const { docker, containerd, podman, crio } = ENGINES as Record<"docker" | "containerd" | "podman" | "crio", Engine>;

describe("the configuration of engines", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "engines-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** A program in the place of an engine's, which says yes unless told otherwise. */
  function place(name: string, script = "exit 0"): { readonly file: string; readonly program: string } {
    const program = join(directory, "program");
    writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { file: join(directory, name), program };
  }

  it.each(["containerd", "crio", "podman"])("%s reads as TOML, whatever the path", (name) => {
    const text = SNIPPETS[name]?.(RUNTIME, join(directory, "none")) ?? "";
    expect(JSON.stringify(parse(text))).toContain(JSON.stringify(RUNTIME));
  });

  it("containerd gets our own shim where that is asked for", () => {
    const text = containerd.snippet("/opt/kata/bin/kata-runtime", join(directory, "none"), "v2");
    expect(JSON.stringify(parse(text))).toContain(
      '"kata":{"runtime_type":"io.containerd.kata.v2","runtime_path":"/opt/kata/bin/containerd-shim-kata-v2"',
    );
    expect(text).not.toContain("BinaryName");
  });

  it.each([
    ["podman", podman],
    ["crio", crio],
  ])("%s has a file of ours, which goes as it came", async (_name, engine) => {
    const own = place("50-kata-ts.conf");
    await engine.write(own, RUNTIME);
    await engine.write(own, "/moved/kata-runtime");
    expect(readFileSync(own.file, "utf8")).toContain("/moved/kata-runtime");
    expect(await engine.remove(own, RUNTIME)).toBe(true);
    expect(existsSync(own.file)).toBe(false);
    expect(await engine.remove(own, RUNTIME)).toBe(false);
    writeFileSync(own.file, "[somebody.elses]\n");
    await expect(engine.write(own, RUNTIME)).rejects.toThrow("this command has not written it");
    await expect(Promise.resolve().then(() => engine.remove(own, RUNTIME))).rejects.toThrow("has not written it");
    expect(readFileSync(own.file, "utf8")).toBe("[somebody.elses]\n");
  });

  it("Docker keeps what its file had, its mode and its link, and gets it back", async () => {
    const daemon = place("daemon.json");
    const target = join(directory, "real.json");
    const before = { "log-level": "debug", runtimes: { other: { path: "/o" } } };
    writeFileSync(target, JSON.stringify(before), { mode: 0o600 });
    symlinkSync(target, daemon.file);
    await docker.write(daemon, RUNTIME);
    expect(JSON.parse(readFileSync(target, "utf8"))).toEqual({
      "log-level": "debug",
      runtimes: { other: { path: "/o" }, kata: { path: RUNTIME } },
    });
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(await docker.remove(daemon, RUNTIME)).toBe(true);
    expect(JSON.parse(readFileSync(target, "utf8"))).toEqual(before);
  });

  it("Docker's file goes where nothing else is in it, and stays where it is used", async () => {
    const daemon = place("etc/daemon.json");
    await docker.write(daemon, RUNTIME);
    expect(await docker.remove(daemon, RUNTIME)).toBe(true);
    expect(existsSync(daemon.file)).toBe(false);
    writeFileSync(daemon.file, JSON.stringify({ "default-runtime": "kata", runtimes: { kata: { path: RUNTIME } } }));
    await expect(docker.remove(daemon, RUNTIME)).rejects.toThrow("default-runtime is kata");
  });

  it.each([
    ["{ broken", "exit 0", "daemon.json"],
    ["[]", "exit 0", "no JSON object"],
    ['{ "runtimes": 1 }', "exit 0", "runtimes is no JSON object"],
    ["{}", "echo 'bad file' >&2; exit 1", "bad file"],
  ])("Docker's file %s, checked by %s, is left as it is", async (text, script, reason) => {
    const daemon = place("daemon.json", script);
    writeFileSync(daemon.file, text);
    await expect(docker.write(daemon, RUNTIME)).rejects.toThrow(reason);
    expect(readFileSync(daemon.file, "utf8")).toBe(text);
    expect(existsSync(`${daemon.file}.kata-ts`)).toBe(false);
  });

  it("Docker before 23, which cannot check a file, is configured all the same", async () => {
    const daemon = place(
      "daemon.json",
      "echo \"Status: unknown flag: --validate\nSee 'dockerd --help'., Code: 125\" >&2; exit 125",
    );
    await docker.write(daemon, RUNTIME);
    expect(readFileSync(daemon.file, "utf8")).toContain("kata-runtime");
  });

  it("Docker gets our own shim from 23 on, where that is asked for", async () => {
    const shim = { runtimes: { kata: { runtimeType: "/opt/kata/bin/containerd-shim-kata-v2" } } };
    const daemon = place("daemon.json");
    expect(JSON.parse(docker.snippet("/opt/kata/bin/kata-runtime", daemon.file, "v2"))).toEqual(shim);
    await docker.write(daemon, "/opt/kata/bin/kata-runtime", "v2");
    expect(JSON.parse(readFileSync(daemon.file, "utf8"))).toEqual(shim);
    await docker.remove(daemon, RUNTIME);
    const old = place("daemon.json", "echo 'unknown flag: --validate' >&2; exit 125");
    await expect(docker.write(old, "/opt/kata/bin/kata-runtime", "v2")).rejects.toThrow("older than Docker 23");
    expect(existsSync(old.file)).toBe(false);
  });

  it.each([
    ["docker", docker],
    ["containerd", containerd],
  ])("%s is not configured where it is not installed to check the file", async (_name, engine) => {
    const missing = { file: join(directory, "file"), program: join(directory, "none") };
    await expect(engine.write(missing, RUNTIME)).rejects.toThrow("is not there to check");
    expect(existsSync(missing.file)).toBe(false);
  });

  it("containerd's first format, and what is no TOML, is refused", async () => {
    const config = place("config.toml");
    chmodSync(directory, 0o700);
    for (const [text, reason] of [
      ["[plugins.cri]\n", "not version 2 or 3"],
      ["version = \n", "config.toml"],
    ] as const) {
      writeFileSync(config.file, text);
      await expect(containerd.write(config, RUNTIME)).rejects.toThrow(reason);
      expect(readFileSync(config.file, "utf8")).toBe(text);
    }
  });
});
