import { buffer } from "node:stream/consumers";
import { containerd, google } from "#gen/containerd";
import { VERSION } from "../version.ts";

/** The name by which containerd's configuration has this shim. */
const RUNTIME_NAME = "io.containerd.kata.v2";

/** `-info`: what containerd 2 asks each runtime for; the options that it gives are given back. */
export async function info(input: NodeJS.ReadableStream): Promise<Uint8Array> {
  const given = await buffer(input);
  return containerd.types.RuntimeInfo.encode({
    name: RUNTIME_NAME,
    version: { version: VERSION },
    options: given.length === 0 ? null : google.protobuf.Any.decode(given),
  }).finish();
}
