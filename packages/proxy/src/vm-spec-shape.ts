import {
  anyObjectAs,
  count,
  type Fields,
  flag,
  listOf,
  nullable,
  object,
  oneOf,
  optional,
  type Shape,
  text,
  variants,
} from "@kata-ts/linux/shape";
import { machineDescription } from "./machine-launcher.ts";
import type { VirtiofsdConfig } from "./virtiofsd.ts";
import type { StartOutcome, VmExit, VmSpec, VmSurroundings, VsockSpec } from "./vm-spec.ts";

const SURROUNDINGS: Fields<VmSurroundings> = {
  networkNamespace: optional(text),
  resolver: optional(text),
  resolvConf: optional(text),
  forwardLoopback: optional(flag),
  oomFiles: optional(listOf(text)),
  onNetworkChange: optional(listOf(text)),
};

/** What a taker sends. */
export const vmSurroundings: Shape<VmSurroundings> = object<VmSurroundings>(SURROUNDINGS);

/** virtiofsd checks its own arguments, and the machine's launcher what the machine is. */
export const vmSpec: Shape<VmSpec> = object<VmSpec>({
  ...SURROUNDINGS,
  dir: text,
  machine: machineDescription,
  memoryImage: optional(text),
  memoryImageStays: optional(flag),
  channelWaits: optional(flag),
  sharedDir: text,
  virtiofsd: optional(anyObjectAs<VirtiofsdConfig>()),
  proxySocket: text,
  vsock: optional(object<VsockSpec>({ daemonPath: optional(text) })),
  cached: optional(flag),
  detachable: optional(flag),
});

/** What a proxy answers its starter. */
export const startOutcome: Shape<StartOutcome> = variants<"ok", StartOutcome>(
  "ok",
  [
    true,
    object<Extract<StartOutcome, { readonly ok: true }>>({
      ok: oneOf(true),
    }),
  ],
  [false, object<Extract<StartOutcome, { readonly ok: false }>>({ ok: oneOf(false), code: text, message: text })],
);

/** The file `exit.json`. */
export const vmExit: Shape<VmExit> = object<VmExit>({
  reason: oneOf("stopped", "qemu-exited", "virtiofsd-exited", "channel-lost"),
  phase: oneOf("qemu", "kernel", "init", "agent", "ready"),
  exitCode: nullable(count),
  signal: nullable(text),
  outOfMemory: optional(flag),
  stderr: listOf(text),
  console: listOf(text),
});
