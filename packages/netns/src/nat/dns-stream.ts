import type { Duplex } from "node:stream";
import { framed, unframed } from "./dns-upstream.ts";

/**
 * Answers the queries of a connection, one after the other, until one has no answer or the connection ends. The next query is read
 * once the client has taken the answer before: a guest that reads nothing makes us hold one answer.
 *
 * @throws the stream's error
 */
export async function answerStream(
  stream: Duplex,
  answer: (query: Buffer) => Promise<Buffer | undefined>,
): Promise<void> {
  for await (const query of unframed(stream)) {
    const message = await answer(query);
    if (message === undefined) break;
    await new Promise<void>((resolve, reject) => {
      stream.write(framed(message), (error) => {
        if (error instanceof Error) reject(error);
        else resolve();
      });
    });
  }
}
