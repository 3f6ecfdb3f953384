import { type BundleRequest, restoreFromBundle } from "@kata-ts/runtime";
import { deleteContainer, KataError } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { holderOf } from "../front/network-place.ts";
import { imagePathOf, refusePartial, SHARED_OPTIONS } from "./checkpoint-options.ts";
import { CREATE_OPTIONS, requestOf } from "./create-options.ts";
import { RESTORE, writeStatistics } from "./criu-statistics.ts";
import { Foreground } from "./foreground.ts";
import { Interruption } from "./interruption.ts";
import { OUTPUT_OPTIONS } from "./output-files.ts";
import { writePidFile } from "./pid-file.ts";

export const manual: Manual = {
  operands: "CONTAINER",
  options: {
    ...CREATE_OPTIONS,
    ...OUTPUT_OPTIONS,
    ...SHARED_OPTIONS,
    detach: { type: "boolean", short: "d", about: "do not wait for it" },
    "no-subreaper": { type: "boolean", about: "for callers of runc: not used" },
    "lsm-profile": { type: "string", value: "PROFILE", about: "AppArmor or SELinux: a guest has none" },
    "lsm-mount-context": { type: "string", value: "CONTEXT", about: "SELinux: a guest has none" },
  },
  notes: [
    "Goes on with a container that was saved by checkpoint, under any id and as often as wanted: docs/checkpoint.md.",
    "Ends with the process's own exit status.",
  ],
  examples: ["restore --bundle /srv/web --image-path /srv/saved --detach web2"],
};

export const verb: Verb = async (args, context) => {
  const parsed = parseAnywhere(args, manual.options);
  const { options } = parsed;
  refusePartial("restore", options, manual.options);
  const request = requestOf("restore", parsed);
  refuseHeldNetwork(request);
  const since = performance.now();
  const { shim, environment } = await interruptibly((signal) =>
    restoreFromBundle({ ...request, directory: imagePathOf(options), signal }, context),
  );
  await writeStatistics(RESTORE, { options, log: context.log, since });
  const pidFile = options.text("pid-file");
  if (pidFile !== undefined) writePidFile(pidFile, shim.identity.pid);
  if (options.flag("detach")) return 0;
  using foreground = new Foreground(request.bundle.spec.process?.terminal === true);
  const status = await foreground.wait(shim);
  await deleteContainer(request.id, { force: true }, environment);
  return status;
};

/** @throws KataError KATA_UNSUPPORTED: nothing would be at the other end of such a network, or another container has its interfaces */
function refuseHeldNetwork({ id, bundle }: BundleRequest): void {
  const { path = "" } = bundle.spec.linux?.namespaces?.find(({ type }) => type === "network") ?? {};
  const holder = holderOf(path);
  if (holder === undefined) return;
  throw new KataError(
    "KATA_UNSUPPORTED",
    `container ${id} cannot be restored in the network of ${holder}: kata run has made it, and it ends with that container`,
    { hint: `give config.json another network namespace than ${path}, or one without a path: docs/checkpoint.md` },
  );
}

/** A signal that would end this program ends the restoring instead, which takes back what was made. */
async function interruptibly<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  using interruption = new Interruption();
  return await work(interruption.signal);
}
