import { parseArgs } from "node:util";

/** The command line that containerd gives to every shim; its documentation of runtime v2 has the flags. */
export interface ShimFlags {
  /** `start` and `delete` are containerd's; without one the program serves a pod. */
  readonly action: "start" | "delete" | "serve";
  readonly namespace: string;
  /** The container's. */
  readonly id: string;
  /** containerd's gRPC socket. */
  readonly address: string;
  /** The containerd program, which publishes an event when it is called so. */
  readonly publishBinary: string;
  /** Only of `delete`; the working directory is the same. */
  readonly bundle: string;
  readonly debug: boolean;
  readonly version: boolean;
  readonly info: boolean;
}

const OPTIONS = {
  namespace: { type: "string", default: "" },
  id: { type: "string", default: "" },
  address: { type: "string", default: "" },
  "publish-binary": { type: "string", default: "containerd" },
  bundle: { type: "string", default: "" },
  // Of earlier versions of containerd; the socket is where the other flags say.
  socket: { type: "string" },
  "debug-socket": { type: "string" },
  debug: { type: "boolean", default: false },
  v: { type: "boolean", default: false },
  info: { type: "boolean", default: false },
} as const;

/** Go's flag syntax: `-name value`, `-name=value`, one or two dashes. @throws TypeError on what is none of these */
export function parseFlags(argv: readonly string[]): ShimFlags {
  const args = argv.map((arg) => arg.replace(/^-(?=[a-z])/, "--"));
  const { values, positionals } = parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: true });
  return {
    action: actionOf(positionals),
    namespace: values.namespace,
    id: values.id,
    address: values.address,
    publishBinary: values["publish-binary"],
    bundle: values.bundle,
    debug: values.debug,
    version: values.v,
    info: values.info,
  };
}

function actionOf([action = "serve", ...others]: readonly string[]): ShimFlags["action"] {
  if (others.length > 0) throw new TypeError(`unexpected arguments: ${others.join(" ")}`);
  if (action === "start" || action === "delete" || action === "serve") return action;
  throw new TypeError(`${JSON.stringify(action)} is no action of a shim: start and delete are`);
}
