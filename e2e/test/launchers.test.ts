import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../harness/command.ts";
import { DIST } from "../harness/paths.ts";

const PROGRAMS = [
  ...["bin/kata", "bin/kata-runtime", "bin/containerd-shim-kata-v2"],
  ...["libexec/kata-ts/kata-proxy", "libexec/kata-ts/kata-shim"],
];
const KATA = "bin/kata";
/** What each answers to, where that is not `-version`. */
const HARMLESS: Readonly<Record<string, string>> = { [KATA]: "--help", "bin/containerd-shim-kata-v2": "-v" };

it("only kata is a script that starts Node: each of the others is one file with its engine", () => {
  const scripts = PROGRAMS.filter((program) => readFileSync(join(DIST, program), "latin1").startsWith("#!"));
  expect(scripts).toEqual([KATA]);
});

describe.each(PROGRAMS)("%s", (program) => {
  it("is found by a relative path, as the README has it", async () => {
    const answer = await runCommand(program, [HARMLESS[program] ?? "-version"], { cwd: DIST });
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
  });
});

describe(KATA, () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-launcher-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("lets Node have none of its arguments", async () => {
    const mark = join(directory, "mark");
    const code = join(directory, "code.cjs");
    writeFileSync(code, `require("node:fs").writeFileSync(${JSON.stringify(mark)}, "");`);
    const [variables, config] = [join(directory, "variables"), join(directory, "node.config.json")];
    writeFileSync(variables, `NODE_OPTIONS=--require=${code}\n`);
    writeFileSync(config, JSON.stringify({ nodeOptions: { import: [code], require: [code] } }));
    const words = [
      [`--env-file=${variables}`],
      ["--env-file", variables],
      [`--env-file-if-exists=${variables}`],
      [`--experimental-config-file=${config}`],
      ["--experimental-config-file", config],
      ["--experimental-default-config-file"],
      [`--require=${code}`],
      ["-r", code],
      ["--", `--env-file=${variables}`],
      ["--", `--experimental-config-file=${config}`],
    ];
    for (const given of words) {
      const answer = await runCommand(join(DIST, KATA), ["state", ...given], { cwd: directory });
      expect(answer.exitCode, `${given.join(" ")}: ${answer.stderr}`).not.toBe(0);
      expect(answer.stderr, given.join(" ")).not.toMatch(/@--experimental|bad option|Cannot read configuration/);
      expect(readdirSync(directory), given.join(" ")).not.toContain("mark");
    }
  });

  it("drops what the environment says to Node and to the linker, and no more", async () => {
    const libexec = join(directory, "libexec", "kata-ts");
    mkdirSync(libexec, { recursive: true });
    mkdirSync(join(directory, "bin"));
    cpSync(join(DIST, KATA), join(directory, KATA));
    writeFileSync(join(libexec, "node"), '#!/bin/sh\nenv; for word; do printf "<%s>\\n" "$word"; done\n');
    chmodSync(join(libexec, "node"), 0o755);
    const hostile = {
      ...{ NODE_OPTIONS: "--x", NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_REDIRECT_WARNINGS: "/x", OPENSSL_CONF: "/x" },
      ...{ LD_AUDIT: "", LD_DEBUG_OUTPUT: "/x", GCONV_PATH: "/x", NODE_PATH: "/x", NODE_V8_COVERAGE: "/x" },
      ...{ NODE_COMPILE_CACHE: "/x" },
    };
    const kept = {
      ...{ HTTPS_PROXY: "http://proxy:1", SSL_CERT_FILE: "/ca.pem", NODE_EXTRA_CA_CERTS: "/own.pem" },
      ...{ HOME: "/root", A: "b c" },
    };
    const words = ["", "a b", "*", "$HOME", "`id`", "'\"", "--env-file=x", "-", "--", "@x", "line\nline"];
    const env = { ...hostile, ...kept, PATH: process.env.PATH ?? "" };
    const answer = await runCommand(join(directory, KATA), words, { env });
    const lines = answer.stdout.split("\n");
    for (const [name, value] of Object.entries(kept)) expect(lines).toContain(`${name}=${value}`);
    for (const name of Object.keys(hostile)) expect(answer.stdout).not.toMatch(new RegExp(`^${name}=`, "m"));
    const given = answer.stdout.slice(answer.stdout.indexOf("<-->\n"));
    expect(given.split("\n").slice(2).join("\n")).toBe(words.map((word) => `<${word}>`).join("\n"));
    const marked = await runCommand(join(directory, KATA), ["--experimental-x", "@--experimental-y"], { env });
    expect(marked.stdout).toMatch(/\n<@--experimental-x>\n<@@--experimental-y>$/);
  });
});
