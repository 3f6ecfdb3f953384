/** The library's types are Node's. */
declare module "readable-stream/lib/stream.js" {
  const streams: typeof import("node:stream");
  export default streams;
}
