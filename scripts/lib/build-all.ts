import { join } from "node:path";
import type { Guest, KernelChoice, PackageEntry, PortableNode } from "@kata-ts/guest-image";
import { bundleAgent } from "./bundle-agent.ts";
import { bundlePrograms } from "./bundle-programs.ts";
import { copyFileDaemon } from "./copy-file-daemon.ts";
import { compile, generateProtocol } from "./generate.ts";
import { generateContainerd } from "./generate-containerd.ts";
import { DIST, NODE_BINARY } from "./paths.ts";
import { step } from "./run.ts";
import { assembleShare } from "./share.ts";
import { isCurrent, remember, sourceKey } from "./stamp.ts";

/** Compiles the packages. */
export async function buildPackages(): Promise<void> {
  await step("generating the protocol's codecs", generateProtocol);
  await step("generating containerd's codecs", generateContainerd);
  await step("compiling the packages", compile);
}

/** The whole installable tree, `dist/kata-ts`. Does nothing when sources and guest are those of the last build. */
export async function buildTree(kernel: KernelChoice): Promise<void> {
  if (await isCurrent(kernel)) return;
  const key = await sourceKey();
  await buildPackages();
  const node = await step("preparing Node", prepareNode);
  const programs = await step("bundling the programs", () => bundlePrograms(node.directory));
  const agent = await step("bundling the agent", bundleAgent);
  const guest = await step("preparing the guest", () => buildGuest(kernel, agent.directory));
  const hostPackages = [...node.packages, ...(await step("preparing virtiofsd", installFileDaemon))];
  const npm = { guest: agent.npm, host: programs.npm };
  const runners = { guest: [agent.runner], host: programs.runners };
  await step(`assembling dist/kata-ts with the ${guest.kernel} kernel`, () =>
    assembleShare(guest, { hostPackages, npm, runners }),
  );
  await remember(key, guest.kernel);
}

async function prepareNode(): Promise<PortableNode> {
  // Compiled a moment ago: not there when this file was loaded.
  const { preparePortableNode } = await import("@kata-ts/guest-image");
  return preparePortableNode({ nodeBinary: NODE_BINARY, onProgress });
}

async function installFileDaemon(): Promise<PackageEntry[]> {
  // Compiled a moment ago: not there when this file was loaded.
  const { prepareFileDaemon } = await import("@kata-ts/guest-image");
  return copyFileDaemon(await prepareFileDaemon({ onProgress }), join(DIST, "libexec", "kata-ts"));
}

function onProgress(line: string): void {
  process.stdout.write(`  ${line}\n`);
}

async function buildGuest(kernel: KernelChoice, agentDir: string): Promise<Guest> {
  // Compiled a moment ago: not there when this file was loaded.
  const { prepareGuest } = await import("@kata-ts/guest-image");
  return prepareGuest({ agentDir, kernel, onProgress });
}
