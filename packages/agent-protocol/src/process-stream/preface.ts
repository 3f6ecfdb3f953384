import { closeSync, openSync, readSync } from "node:fs";
import { OFFER } from "../network-streams/offers.ts";
import { PORT_MAGIC, PORT_PREFACE_BYTES } from "../network-streams/ports.ts";

/** What a process stream begins with, where gRPC has `PRI * HTTP/2.0` and ttrpc a length: its name and version. */
const MAGIC = Buffer.from("KATATS/1", "latin1");
const TOKEN_BYTES = 16;
export const PREFACE_BYTES: number = MAGIC.length + TOKEN_BYTES;

/**
 * A name for a process that cannot be guessed. It comes from the kernel: node:crypto's generator lives in this process's
 * memory, and guests that are cloned from one template would all draw the same.
 */
export function newToken(): Buffer {
  const token = Buffer.alloc(TOKEN_BYTES);
  const source = openSync("/dev/urandom", "r");
  try {
    if (readSync(source, token) !== TOKEN_BYTES) throw new Error("/dev/urandom gave fewer bytes than asked for");
  } finally {
    closeSync(source);
  }
  return token;
}

/** @throws RangeError for a token of another length */
export function encodePreface(token: Uint8Array): Buffer {
  if (token.length !== TOKEN_BYTES) throw new RangeError(`a process token has ${String(TOKEN_BYTES)} bytes`);
  return Buffer.concat([MAGIC, token]);
}

/**
 * Detects the protocol of a stream that the host opened by its first bytes; `calls` is ttrpc or gRPC.
 *
 * @returns undefined while there are too few bytes
 */
export function detectProtocol(head: Buffer): "process" | "port" | "offer" | "calls" | undefined {
  if (begins(head, MAGIC)) return head.length >= PREFACE_BYTES ? "process" : undefined;
  if (begins(head, PORT_MAGIC)) return head.length >= PORT_PREFACE_BYTES ? "port" : undefined;
  if (begins(head, OFFER)) return head.length >= OFFER.length ? "offer" : undefined;
  return "calls";
}

/** Whether it is one, as far as it has come. */
function begins(head: Buffer, magic: Buffer): boolean {
  const seen = Math.min(head.length, magic.length);
  return head.subarray(0, seen).equals(magic.subarray(0, seen));
}

/** The token in a whole preface. */
export function tokenOf(preface: Buffer): Buffer {
  return preface.subarray(MAGIC.length, PREFACE_BYTES);
}
