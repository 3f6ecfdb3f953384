import { AgentRpcError, RpcStatus } from "../errors.ts";

/** Of grpc-message: with it the trailers fit in one frame, and in any limit that peers have. */
const MAX_STATUS_BYTES = 8 * 1024;
const PRINTABLE = /^[ -$&-~]$/;

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
/** gRPC's numbers have at most eight digits. */
const MAX_MILLISECONDS = 99_999_999;

/** Milliseconds, from `grpc-timeout`; undefined for a call that may wait for ever. @throws AgentRpcError */
export function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits = "", unit = ""] = TIMEOUT.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined) throw new AgentRpcError(RpcStatus.Internal, `malformed grpc-timeout: ${text.slice(0, 32)}`);
  return Number(digits) * unitMs;
}

/** How long the caller waits, for the agent to give up by then, too. */
export function formatTimeout(milliseconds: number): string {
  const whole = Math.max(1, Math.round(milliseconds));
  if (whole <= MAX_MILLISECONDS) return `${String(whole)}m`;
  return `${String(Math.min(MAX_MILLISECONDS, Math.round(whole / 1000)))}S`;
}

/** `grpc-message`: gRPC writes what is not printable ASCII as URLs do. A text that is too long loses its end. */
export function escapeMessage(text: string): string {
  let escaped = "";
  for (const character of text) {
    const next = PRINTABLE.test(character) ? character : percentEncoded(character);
    if (escaped.length + next.length > MAX_STATUS_BYTES) break;
    escaped += next;
  }
  return escaped;
}

/** A text that is not escaped as it should be stays as it is. */
export function unescapeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function percentEncoded(character: string): string {
  return Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}
