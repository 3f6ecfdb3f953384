import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { buildGuestPackage } from "../../scripts/lib/guest-package.ts";
import { NODE_BINARY } from "../../scripts/lib/paths.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { DIST, ROOT, SHARE } from "../harness/paths.ts";

/** What an example takes as given, and what it has to print. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  "README.md": /^6\.12\.\d+ exit status 0$/,
  "packages/agent-protocol/README.md": /^4$/,
  "packages/agent/README.md": /^the host disconnected$/,
  "packages/containerd-shim/README.md": /^containerd-shim-kata-v2:\n {2}Version: {2}\d+\.\d+\.\d+$/,
  "packages/guest/README.md": /vmlinux .*rootfs\.ext4 6\.12\.\S+$/,
  "packages/guest-linux-x64/README.md": /^[0-9a-f]{64} [0-9a-f]{64} \d{4}-\d\d-\d\d$/,
  "packages/guest-image/README.md": /tuned .*vmlinux .*rootfs\.ext4$/,
  "packages/linux/README.md": /^true true true LinuxError$/,
  "packages/netns/README.md": /^0% packet loss$/,
  "packages/oci-image/README.md": /^\[ 'sh' \] \[ 'PATH=\/bin' \] \/ 0$/,
  "packages/proxy/README.md": /^hello$/,
  "packages/qemu-driver/README.md": /status: 'running'[\s\S]*exitCode: 0/,
  "packages/runtime/README.md": /^1 true$/,
  "packages/runtime-cli/README.md": /kata-runtime .*\n[\s\S]*\n0$/,
  "packages/shim/README.md": /^from a fake\nexit status 3$/,
  "packages/tree/README.md": /^directory etc\nroot:.*:\/bin\/sh/,
  "packages/virtcontainers/README.md": /^hello from a VM\nexit status 0$/,
};

async function given(): Promise<string> {
  return [
    `const kernelPath = ${JSON.stringify(join(SHARE, "vmlinux"))};`,
    `const imagePath = ${JSON.stringify(join(SHARE, "rootfs.ext4"))};`,
    `const rootfs = ${JSON.stringify(await busyboxRootfs())};`,
    `const libexec = ${JSON.stringify(join(DIST, "libexec", "kata-ts"))};`,
    `const agentDir = ${JSON.stringify(join(ROOT, "dist", "agent"))};`,
    'import { FakeAgent } from "@kata-ts/virtcontainers/testing";',
    'const fake_ = new FakeAgent({ stdout: "from a fake\\n", status: 3 });',
  ].join("\n");
}

/** An image that umoci has made. */
async function givenImage(directory: string): Promise<string> {
  const layout = join(directory, "layout");
  const image = `${layout}:latest`;
  await runCommand("umoci", ["init", "--layout", layout]);
  await runCommand("umoci", ["new", "--image", image]);
  await runCommand("umoci", ["insert", "--image", image, await busyboxRootfs(), "/"]);
  await runCommand("umoci", ["config", "--image", image, "--config.env", "PATH=/bin", "--config.cmd", "sh"]);
  const places = { layout, cacheDir: join(directory, "cache"), target: join(directory, "target") };
  return Object.entries(places)
    .map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`)
    .join("\n");
}

/** The fake guest that the shim's example talks to: a 1.x agent behind a socket. */
const FAKE_GUEST = [
  'import { createServer as createServer_ } from "node:net";',
  'import { createAgentServer as createAgentServer_ } from "@kata-ts/agent-protocol";',
  "const agent_ = fake_.connect();",
  "await agent_.createSandbox({});",
  'await agent_.createContainer({ container_id: "web" });',
  'await agent_.startContainer({ container_id: "web" });',
  "const server_ = createAgentServer_(fake_.handlers);",
  'const socket_ = "/run/kata-readme-" + String(process.pid) + ".sock";',
  "createServer_((connection) => server_.serve(connection)).listen(socket_).unref();",
  'process.on("exit", () => rm_(socket_));',
  'import { rmSync as rm_ } from "node:fs";',
  'const agentUrl = "unix://" + socket_;',
].join("\n");

/** What examples take for granted. */
const DECLARED = [
  "declare const kernelPath: string, imagePath: string, rootfs: string, qemuPath: string, url: string;",
  "declare const agentDir: string;",
  'declare const id: import("@kata-ts/virtcontainers").ContainerId;',
  'declare const spec: import("@kata-ts/proxy").VmSpec;',
  'declare const config: import("@kata-ts/qemu-driver").VmConfig;',
  'declare const context: import("@kata-ts/runtime").RuntimeContext;',
].join("\n");

describe("the examples of the READMEs", () => {
  expectCleanHost();

  beforeAll(buildGuestPackage, 300_000);

  it("are there for every package that is published", () => {
    const pages = ["README.md", ...publishedPackages().map((directory) => join(directory, "README.md"))];
    expect(pages.sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))("%s", async (page, expected) => {
    const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, page), "utf8"))?.[1] ?? "";
    expect(example).not.toBe("");
    // Beside the tests, where the packages are found.
    const directory = mkdtempSync(join(ROOT, "e2e", ".example-"));
    try {
      const file = join(directory, "example.mts");
      const fake = page.includes("/shim/") ? FAKE_GUEST : "";
      const image = page.includes("/oci-image/") ? await givenImage(directory) : "";
      writeFileSync(file, `${await given()}\n${fake}\n${image}\n${example}`);
      const result = await runCommand(NODE_BINARY, [file]);
      expect(result.stderr).toBe("");
      expect(result.stdout).toMatch(expected);
      expect(result.exitCode).toBe(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("begin with npm start, which runs a container without a terminal and says what ran where", async () => {
    const result = await runCommand(NODE_BINARY, [join(ROOT, "scripts", "start.ts")], { cwd: ROOT });
    expect(result.stderr).toBe("");
    expect(result.stdout).toMatch(/container's output +hello from a container, kernel 6\.12\./);
    expect(result.exitCode).toBe(0);
  });

  it("of docs/, CONTRIBUTING and each published package's sources are what the compiler accepts, all of them", async () => {
    const pages = [...globSync("docs/**/*.md", { cwd: ROOT }), "CONTRIBUTING.md"];
    const sources = publishedPackages()
      .flatMap((directory) => globSync(`${directory}/src/**/*.ts`, { cwd: ROOT }))
      .filter((path) => !path.includes("opentelemetry"));
    const directory = mkdtempSync(join(ROOT, "e2e", ".example-"));
    try {
      let count = 0;
      for (const page of [...pages, ...sources]) {
        for (const [, example = ""] of readFileSync(join(ROOT, page), "utf8").matchAll(/```ts\n([\s\S]*?)```/g)) {
          count += 1;
          const name = `${page.replaceAll("/", "-")}-${String(count)}.mts`;
          writeFileSync(join(directory, name), `${DECLARED}\n${example.replaceAll(/^ \* ?/gm, "")}\nexport {};\n`);
        }
      }
      expect(count).toBeGreaterThan(16);
      const tsconfig = { extends: "../../tsconfig.dev.json", include: ["*.mts"], compilerOptions: { noEmit: true } };
      writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(tsconfig));
      const checked = await runCommand(join(ROOT, "node_modules", ".bin", "tsc"), ["-p", directory]);
      expect(checked).toMatchObject({ exitCode: 0, stdout: "" });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

/** Their directories. Examples of the others are for those who work on this project. */
function publishedPackages(): string[] {
  const isPublished = (manifest: string): boolean =>
    (JSON.parse(readFileSync(join(ROOT, manifest), "utf8")) as { private?: boolean }).private !== true;
  return globSync("packages/*/package.json", { cwd: ROOT }).filter(isPublished).map(dirname);
}
