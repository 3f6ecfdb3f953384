import type { FileOperation } from "@kata-ts/agent-protocol";
import { count, flag, matching, object, optional, parseShape, type Shape, text, variants } from "@kata-ts/linux/shape";
import { invalidArgument } from "../errors.ts";

/** As long as Linux takes one. */
const MAX_PATH_BYTES = 4095;

const path: Shape<string> = matching(
  `an absolute path of at most ${String(MAX_PATH_BYTES)} bytes without NUL`,
  (value): value is string =>
    typeof value === "string" &&
    value.startsWith("/") &&
    !value.includes("\0") &&
    Buffer.byteLength(value) <= MAX_PATH_BYTES,
);

type Of<Name extends FileOperation["name"]> = Extract<FileOperation, { readonly name: Name }>;

const attributes = { mode: optional(count), uid: optional(count), gid: optional(count) };

const operation: Shape<FileOperation> = variants<"name", FileOperation>(
  "name",
  ["stat", object<Of<"stat">>({ name: text as Shape<"stat">, path, follow: flag })],
  ["mkdir", object<Of<"mkdir">>({ name: text as Shape<"mkdir">, path, recursive: flag, ...attributes })],
  ["rename", object<Of<"rename">>({ name: text as Shape<"rename">, path, to: path })],
  ["remove", object<Of<"remove">>({ name: text as Shape<"remove">, path, recursive: flag, force: flag })],
  ["list", object<Of<"list">>({ name: text as Shape<"list">, path, maxEntries: count, details: optional(flag) })],
  ["read", object<Of<"read">>({ name: text as Shape<"read">, path, offset: optional(count), length: optional(count) })],
  ["write", object<Of<"write">>({ name: text as Shape<"write">, path, append: flag, exclusive: flag, ...attributes })],
  ["pack", object<Of<"pack">>({ name: text as Shape<"pack">, path, as: optional(text), follow: flag })],
  [
    "unpack",
    object<Of<"unpack">>({
      name: text as Shape<"unpack">,
      path,
      owner: optional(object<NonNullable<Of<"unpack">["owner"]>>({ uid: count, gid: count })),
    }),
  ],
  ["watch", object<Of<"watch">>({ name: text as Shape<"watch">, path })],
);

/** @throws AgentRpcError InvalidArgument */
export function parseOperation(json: Uint8Array): FileOperation {
  try {
    return parseShape(operation, Buffer.from(json).toString(), "the operation");
  } catch (error) {
    throw invalidArgument((error as Error).message);
  }
}
