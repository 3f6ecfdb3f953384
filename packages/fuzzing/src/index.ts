/**
 * Property tests of parsers whose input comes from others. Each is a target of `pnpm fuzz`, too, which goes on for as
 * long as it is told.
 *
 * @module
 */

export { FloodingServer, type Meeting } from "./flood/flooding-server.ts";
export { attachedForever, forever, neverWhole, outputsByteByByte } from "./flood/floods.ts";
export {
  grpcMessage,
  http2Frame,
  ProcessFrame,
  processFrame,
  protobufField,
  ttrpcReply,
  yamuxFrame,
} from "./flood/guest-frames.ts";
export { answerByteByByte, Http2, http2AnswerBegins, http2Beginning, isHttp2 } from "./flood/http2-guest.ts";
export { type Flood, sendFlood } from "./flood/send-flood.ts";
export { answerTtrpc } from "./flood/ttrpc-guest.ts";
export { WatchedProgram } from "./flood/watched-program.ts";
export { fuzz, throwsOnly } from "./fuzz.ts";
export { mutated, mutatedBytes } from "./mutate.ts";
