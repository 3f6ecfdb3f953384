import { parseFlags, type ShimFlags } from "./flags.ts";
import { ShimLog } from "./log.ts";
import { recordRoot } from "./record-root.ts";
import { VERSION } from "./version.ts";

/** Runs containerd-shim-kata-v2. @returns what it exits with */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const flags = parseFlags(argv);
    if (flags.version) process.stdout.write(`containerd-shim-kata-v2:\n  Version:  ${VERSION}\n`);
    else if (flags.info) process.stdout.write(await (await import("./actions/info.ts")).info(process.stdin));
    else await act(flags);
    return 0;
  } catch (error) {
    process.stderr.write(`containerd-shim-kata-v2: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** containerd calls it in the container's bundle, in which there is a fifo for its log. An action loads its own code alone. */
async function act(flags: ShimFlags): Promise<void> {
  if (flags.id === "" || flags.namespace === "") throw new Error("-id and -namespace are needed");
  await using log = new ShimLog("log", flags.id, flags.debug);
  if (flags.action === "start") {
    const [{ start }, { startAnswer }] = await Promise.all([
      import("./actions/start.ts"),
      import("./actions/start-answer.ts"),
    ]);
    process.stdout.write(startAnswer(await start(flags, log), process.env.MAX_SHIM_VERSION));
  } else if (flags.action === "delete") {
    const [{ deleteLeftovers }, { hasLeftovers }] = await Promise.all([
      import("./actions/delete.ts"),
      import("./actions/leftovers.ts"),
    ]);
    const bundle = flags.bundle === "" ? process.cwd() : flags.bundle;
    const cleanUp = async (): Promise<readonly string[]> => {
      if (!(await hasLeftovers(recordRoot(flags), flags.id))) return [];
      return (await import("./runtime-pod.ts")).cleanUpContainer(flags, log);
    };
    process.stdout.write(await deleteLeftovers(bundle, cleanUp));
  } else {
    const [{ serve }, { openRuntimePod }] = await Promise.all([import("./serve.ts"), import("./runtime-pod.ts")]);
    // The bundle of the first container may go before its pod does.
    process.chdir("/");
    await serve(flags, openRuntimePod(flags, log), log);
  }
}
