/** Frames as a guest would make them, by hand: what our own encoders refuse can be sent, too. */

/** yamux: kind, flags, stream and a body, or a number in the place of its length. */
export function yamuxFrame(type: number, flags: number, streamId: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(type, 1);
  header.writeUInt16BE(flags, 2);
  header.writeUInt32BE(streamId, 4);
  header.writeUInt32BE(body.length, 8);
  return Buffer.concat([header, body]);
}

/** Kinds of a process stream's frames: see PROTOCOL.md of agent-protocol. */
export const ProcessFrame = {
  stdout: 0x01,
  stderr: 0x02,
  credit: 0x10,
  stop: 0x20,
  attached: 0x40,
  exit: 0x41,
} as const;

/** A process stream's frame. */
export function processFrame(kind: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt8(kind, 0);
  header.writeUIntBE(body.length, 1, 3);
  return Buffer.concat([header, body]);
}

/** A reply by ttrpc to the call of this number. */
export function ttrpcReply(streamId: number, payload: Buffer): Buffer {
  return ttrpcFrame(streamId, protobufField(2, payload));
}

/** A reply that refuses the call, as of an agent that does not know it. */
export function ttrpcUnimplemented(streamId: number): Buffer {
  return ttrpcFrame(streamId, protobufField(1, Buffer.from([0x08, 12])));
}

function ttrpcFrame(streamId: number, message: Buffer): Buffer {
  const header = Buffer.alloc(10);
  header.writeUInt32BE(message.length, 0);
  header.writeUInt32BE(streamId, 4);
  header.writeUInt8(2, 8);
  return Buffer.concat([header, message]);
}

/** An HTTP/2 frame. */
export function http2Frame(type: number, flags: number, streamId: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(body.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, body]);
}

/** A message of so many bytes, as gRPC has it. */
export function grpcMessage(bytes: number): Buffer {
  const message = Buffer.alloc(5 + bytes);
  message.writeUInt32BE(bytes, 1);
  return message;
}

/** A field of protobuf that holds bytes, or another message. */
export function protobufField(number: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = bytes.length; ; rest = Math.floor(rest / 128)) {
    length.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    if (rest < 128) break;
  }
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes]);
}
