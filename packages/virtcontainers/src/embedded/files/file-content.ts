/** What can be written: text as UTF-8. */
export type FileContent = string | Uint8Array | AsyncIterable<string | Uint8Array>;

/** Content piece by piece, as bytes. */
export async function* buffers(
  content: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of content) yield Buffer.from(piece as Uint8Array);
}
