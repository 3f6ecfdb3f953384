import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ENGINES, engineSnippet } from "./snippets.ts";
import { writeSnippet } from "./write.ts";

const RUNTIME = '/opt/a "quoted" path/kata-runtime';

describe("what engines are told", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "engines-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it.each(["containerd", "crio", "podman"] as const)("%s reads as TOML, whatever the path", (engine) => {
    expect(JSON.stringify(parse(engineSnippet(engine, RUNTIME).text))).toContain(JSON.stringify(RUNTIME));
  });

  it.each(ENGINES)("%s is written to a file that was not there", (engine) => {
    const file = join(directory, "etc", "file");
    const snippet = engineSnippet(engine, RUNTIME);
    writeSnippet(engine, snippet, file);
    const head = engine === "containerd" ? "version = 2\n\n" : "";
    expect(readFileSync(file, "utf8")).toBe(`${head}${snippet.text}`);
  });

  it("Docker keeps what its file had", () => {
    const file = join(directory, "daemon.json");
    const before = { "log-level": "debug", runtimes: { other: { path: "/o" }, kata: { path: "/old" } } };
    writeFileSync(file, JSON.stringify(before));
    writeSnippet("docker", engineSnippet("docker", RUNTIME), file);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      "log-level": "debug",
      runtimes: { other: { path: "/o" }, kata: { path: RUNTIME } },
    });
  });

  it("containerd keeps what its file had, and has ours once", () => {
    const file = join(directory, "config.toml");
    const cri = 'plugins."io.containerd.grpc.v1.cri"';
    writeFileSync(file, `version = 2\n[${cri}]\nsandbox_image = "mine"\n`);
    const write = (): void => {
      writeSnippet("containerd", engineSnippet("containerd", RUNTIME), file);
    };
    write();
    const text = readFileSync(file, "utf8");
    expect(parse(text)).toMatchObject({
      plugins: {
        "io.containerd.grpc.v1.cri": {
          sandbox_image: "mine",
          containerd: { runtimes: { kata: { options: { BinaryName: RUNTIME } } } },
        },
      },
    });
    expect(write).toThrow("there already");
    expect(readFileSync(file, "utf8")).toBe(text);
    writeFileSync(file, "[plugins.cri]\n");
    expect(write).toThrow("not version 2");
  });

  it("a file that cannot be understood is left as it is", () => {
    const file = join(directory, "daemon.json");
    writeFileSync(file, "{ broken");
    expect(() => {
      writeSnippet("docker", engineSnippet("docker", RUNTIME), file);
    }).toThrow("daemon.json");
    expect(readFileSync(file, "utf8")).toBe("{ broken");
    expect(existsSync(`${file}.kata-ts`)).toBe(false);
  });
});
