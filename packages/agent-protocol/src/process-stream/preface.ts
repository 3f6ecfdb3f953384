import { randomBytes } from "node:crypto";

/** What a process stream begins with, where gRPC has `PRI * HTTP/2.0`: its name and version. */
const MAGIC = Buffer.from("KATATS/1", "latin1");
const TOKEN_BYTES = 16;
export const PREFACE_BYTES: number = MAGIC.length + TOKEN_BYTES;

/** A name for a process that nobody can guess. */
export function newToken(): Buffer {
  return randomBytes(TOKEN_BYTES);
}

/** @throws RangeError for a token of another length */
export function encodePreface(token: Uint8Array): Buffer {
  if (token.length !== TOKEN_BYTES) throw new RangeError(`a process token has ${String(TOKEN_BYTES)} bytes`);
  return Buffer.concat([MAGIC, token]);
}

/**
 * Tells a process stream from a gRPC connection by its first bytes.
 *
 * @returns undefined while there are too few bytes to tell
 */
export function recognise(head: Buffer): "process" | "grpc" | undefined {
  const seen = Math.min(head.length, MAGIC.length);
  if (!head.subarray(0, seen).equals(MAGIC.subarray(0, seen))) return "grpc";
  return head.length >= PREFACE_BYTES ? "process" : undefined;
}

/** The token in a whole preface. */
export function tokenOf(preface: Buffer): Buffer {
  return preface.subarray(MAGIC.length, PREFACE_BYTES);
}
