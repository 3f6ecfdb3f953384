import { RpcError, RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { containerd } from "#gen/containerd";
import { isMessage } from "../any.ts";

/** runc's options, as two generations of clients name them: their fields have the same numbers. */
const OPTIONS = ["containerd.runc.v1.CheckpointOptions", "containerd.linux.runc.CheckpointOptions"] as const;

/** How a task is to be saved. */
export interface CheckpointRequest {
  /** containerd makes an image of it afterwards, unless its client has named it. */
  readonly directory: string;
  /** The task is killed once it is saved. */
  readonly exit: boolean;
}

/**
 * What of a call is about a machine that is saved whole; the options about processes, CRIU's, are not used.
 *
 * @throws RpcError InvalidArgument
 */
export function checkpointRequest({ path, options }: containerd.task.v2.CheckpointTaskRequest): CheckpointRequest {
  const { exit, image_path } = optionsOf(options);
  const directory = path === "" ? image_path : path;
  if (directory !== "") return { directory, exit };
  throw new RpcError(RpcStatus.InvalidArgument, "the call names no directory to save the task to");
}

type Options = Pick<containerd.runc.v1.CheckpointOptions, "exit" | "image_path">;

function optionsOf(any: containerd.task.v2.CheckpointTaskRequest.$Properties["options"]): Options {
  if (any === null || any === undefined) return { exit: false, image_path: "" };
  if (OPTIONS.some((name) => isMessage(any, name)))
    return containerd.runc.v1.CheckpointOptions.decode(any.value ?? new Uint8Array());
  const got = any.type_url ?? "";
  throw new RpcError(RpcStatus.InvalidArgument, `the call has ${got} where ${OPTIONS[0]} is to be`);
}
