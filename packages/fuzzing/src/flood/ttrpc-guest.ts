import type { Socket } from "node:net";
import { ttrpcReply, ttrpcUnimplemented } from "./guest-frames.ts";

const HEADER_BYTES = 10;

/** Replies by a word of a method's name; `undefined` says that the agent does not know it. */
export type Answers = Readonly<Record<string, Buffer | undefined>>;

/** Answers each ttrpc call of a connection; a call that has no answer here waits for ever. */
export function answerTtrpc(socket: Socket, head: Buffer, answers: Answers): void {
  let unread: Buffer = Buffer.alloc(0);
  const read = (chunk: Buffer): void => {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= HEADER_BYTES && unread.length >= HEADER_BYTES + unread.readUInt32BE(0)) {
      const end = HEADER_BYTES + unread.readUInt32BE(0);
      answer(socket, unread.readUInt32BE(4), unread.subarray(HEADER_BYTES, end), answers);
      unread = unread.subarray(end);
    }
  };
  read(head);
  socket.on("data", read);
  socket.resume();
}

function answer(socket: Socket, id: number, request: Buffer, answers: Answers): void {
  const method = Object.keys(answers).find((name) => request.includes(name));
  if (method === undefined) return;
  const reply = answers[method];
  socket.write(reply === undefined ? ttrpcUnimplemented(id) : ttrpcReply(id, reply));
}
