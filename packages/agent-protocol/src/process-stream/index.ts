/**
 * The streams of guest processes, beside gRPC on the same channel. PROTOCOL.md describes them.
 *
 * @module
 */
export { ByteQueue } from "../byte-queue.ts";
export { ProcessStreamError } from "./frame.ts";
export { type StreamEnd, type StreamedProcess, serveProcessStream } from "./guest.ts";
export { HostProcessStream, ProcessLost, StdinClosed, type TerminalSize } from "./host.ts";
export { newToken, PREFACE_BYTES, recognise, tokenOf } from "./preface.ts";
