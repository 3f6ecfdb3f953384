import type { SpecProcess, SpecResources } from "@kata-ts/agent-protocol";
import { RpcError, RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { parseProcess, parseResources } from "@kata-ts/runtime";
import type { google } from "#gen/containerd";
import { jsonOf } from "../any.ts";

type Any = google.protobuf.Any.$Properties | null | undefined;

/** What is to be run, as config.json's `process`. @throws RpcError, KataError KATA_CONFIG */
export function execProcess(any: Any): SpecProcess {
  return parseProcess(textOf(any, "Process"), "the process");
}

/** New limits, as config.json's `linux.resources`. @throws RpcError, KataError KATA_CONFIG */
export function resourcesOf(any: Any): SpecResources {
  return parseResources(textOf(any, "LinuxResources"), "the resources");
}

function textOf(any: Any, type: string): string {
  const text = jsonOf(any, type);
  if (text !== undefined) return text;
  const got = any?.type_url ?? "nothing";
  throw new RpcError(RpcStatus.InvalidArgument, `the call has ${got} where a runtime specification's ${type} is to be`);
}
