import type { google } from "#gen/containerd";

/** A message with its type's name, as containerd's typeurl writes it. */
type Any = google.protobuf.Any.$Properties;

/** What containerd's clients marshal as JSON: the types of the runtime specification. */
const JSON_TYPES = "types.containerd.io/opencontainers/runtime-spec/1/";

/** A message of protobuf. @param name such as `containerd.events.TaskExit` */
export function anyOf(name: string, value: Uint8Array): Any {
  return { type_url: name, value };
}

/** Whether it is a message of that name, whatever is before it: `type.googleapis.com/NAME` and `NAME` are the same. */
export function isMessage(any: Any, name: string): boolean {
  const url = any.type_url ?? "";
  return url === name || url.endsWith(`/${name}`);
}

/** The JSON of a type of the runtime specification, such as `Process`; undefined when it is of another type. */
export function jsonOf(any: Any | null | undefined, type: string): string | undefined {
  if (any?.type_url !== JSON_TYPES + type) return undefined;
  return Buffer.from(any.value ?? []).toString();
}
