import type { Field } from "../../http2/hpack/static-table.ts";

/** The first field of a name. */
export function headerOf(fields: readonly Field[], name: string): string | undefined {
  return fields.find(([each]) => each === name)?.[1];
}

export const CONTENT_TYPE: Field = ["content-type", "application/grpc"];
