import { Buffer } from "./buffer.ts";

type Source = AsyncIterable<Uint8Array | string>;

export async function buffer(stream: Source): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(typeof part === "string" ? Buffer.from(part) : part);
  return Buffer.concat(parts);
}

export async function text(stream: Source): Promise<string> {
  return (await buffer(stream)).toString();
}

export async function json(stream: Source): Promise<unknown> {
  return JSON.parse(await text(stream)) as unknown;
}
