import { KataError } from "./errors.ts";

declare const containerId: unique symbol;

/** A checked container or sandbox id: safe as a file name, and what runc accepts. */
export type ContainerId = string & { readonly [containerId]: true };

const MAX_LENGTH = 255;

export function isContainerId(text: string): text is ContainerId {
  return /^[\w+.-]+$/.test(text) && text !== "." && text !== ".." && text.length <= MAX_LENGTH;
}

/** @throws KataError KATA_ID_INVALID */
export function parseContainerId(text: string): ContainerId {
  if (isContainerId(text)) return text;
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  throw new KataError("KATA_ID_INVALID", `invalid container id format: ${shown}`, {
    hint: "use letters, digits, '_', '+', '-' and '.', at most 255 characters",
  });
}
