import { join } from "node:path";
import type { Guest, KernelChoice } from "@kata-ts/guest-image";
import { bundleAgent } from "./bundle-agent.ts";
import { bundlePrograms } from "./bundle-programs.ts";
import { copyFileDaemon } from "./copy-file-daemon.ts";
import { compile, generateProtocol } from "./generate.ts";
import { DIST, NODE_BINARY } from "./paths.ts";
import { step } from "./run.ts";
import { assembleShare } from "./share.ts";
import { isCurrent, remember, sourceKey } from "./stamp.ts";

/** Compiles the packages. */
export async function buildPackages(): Promise<void> {
  await step("generating the protocol's codecs", generateProtocol);
  await step("compiling the packages", compile);
}

/** The whole installable tree, `dist/kata-ts`. Does nothing when sources and guest are those of the last build. */
export async function buildTree(kernel: KernelChoice): Promise<void> {
  if (await isCurrent(kernel)) return;
  const key = await sourceKey();
  await buildPackages();
  await step("bundling the programs", bundlePrograms);
  const guest = await step("preparing the guest", () => buildGuest(kernel));
  await step("preparing virtiofsd", installFileDaemon);
  await step(`assembling dist/kata-ts with the ${guest.kernel} kernel`, () => assembleShare(guest));
  await remember(key, guest.kernel);
}

async function installFileDaemon(): Promise<void> {
  // Compiled a moment ago: not there when this file was loaded.
  const { prepareFileDaemon } = await import("@kata-ts/guest-image");
  await copyFileDaemon(await prepareFileDaemon({ onProgress }), join(DIST, "libexec", "kata-ts"));
}

function onProgress(line: string): void {
  process.stdout.write(`  ${line}\n`);
}

async function buildGuest(kernel: KernelChoice): Promise<Guest> {
  const agentDir = await bundleAgent();
  // Compiled a moment ago: not there when this file was loaded.
  const { prepareGuest } = await import("@kata-ts/guest-image");
  return prepareGuest({ agentDir, nodeBinary: NODE_BINARY, kernel, onProgress });
}
