import { KataError } from "@kata-ts/virtcontainers";
import type * as z from "zod/mini";

/** What Go's ParseBool takes. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

/** How Kata 1.x separates kernel modules. */
const LIST_SEPARATOR = ";";

/** Annotations are text: what their option takes is found by trying. @throws KataError KATA_ANNOTATION */
export function annotationValue(annotation: string, type: z.ZodMiniType, text: string): unknown {
  const boolean = BOOLEANS.get(text);
  const list = text.split(LIST_SEPARATOR).map((item) => item.trim());
  const candidates: unknown[] = [
    text,
    ...(/^\d{1,15}$/.test(text) ? [Number(text)] : []),
    ...(boolean === undefined ? [] : [boolean]),
    list.filter((item) => item !== ""),
  ];
  const tried = candidates.map((candidate) => type.safeParse(candidate));
  const value = tried.find(({ success }) => success);
  if (value?.success === true) return value.data;
  throw new KataError("KATA_ANNOTATION", `annotation ${annotation}: ${JSON.stringify(text)} is no value for it`, {
    hint: "docs/configuration.md describes each option",
  });
}
