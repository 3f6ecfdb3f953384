/**
 * The streams of guest processes, beside gRPC on the same channel. PROTOCOL.md describes them.
 *
 * @module
 */
export { ByteQueue } from "../byte-queue.ts";
export { type EndCause, ProcessStreamError } from "./frame.ts";
export { type ServedProcess, type StreamEnd, serveProcessStream } from "./guest.ts";
export { StdinClosed } from "./guest-input.ts";
export { HostProcessStream, type OpenOptions, ProcessLost, type TerminalSize } from "./host.ts";
export { detectProtocol, newToken, PREFACE_BYTES, tokenOf } from "./preface.ts";
