/** What a stream to a port of the guest begins with, where gRPC has `PRI * HTTP/2.0`. */
export const PORT_MAGIC: Buffer = Buffer.from("KATATS/P", "latin1");
export const PORT_PREFACE_BYTES: number = PORT_MAGIC.length + 2;

/** The beginning of a stream that the host connects to a TCP port of the guest's loopback. */
export function encodePortPreface(port: number): Buffer {
  const preface = Buffer.alloc(PORT_PREFACE_BYTES);
  PORT_MAGIC.copy(preface);
  preface.writeUInt16BE(port, PORT_MAGIC.length);
  return preface;
}

/** The port in a whole preface. */
export function portOf(preface: Buffer): number {
  return preface.readUInt16BE(PORT_MAGIC.length);
}
