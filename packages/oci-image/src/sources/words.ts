import type { Readable } from "node:stream";
import * as z from "zod";
import { ImageError } from "../errors.ts";
import { shown } from "../text.ts";

/** Of manifests and tokens. */
const MAX_ANSWER_BYTES = 4 * 2 ** 20;
const MAX_WORDS_BYTES = 16_384;

/** The distribution specification's errors, and what token servers and gateways answer. */
const errorsSchema = z.object({
  errors: z.array(z.object({ code: z.string().optional(), message: z.string().optional() })).optional(),
  error_description: z.string().optional(),
  message: z.string().optional(),
  details: z.string().optional(),
});

/** A whole answer, which may not be large. @throws ImageError KATA_IMAGE_REGISTRY */
export async function bounded(body: Readable, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) throw new ImageError("KATA_IMAGE_REGISTRY", `${name}: an answer of more than 4 MiB`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const reason = `${name}: the answer broke off: ${shown((error as Error).message)}`;
    throw new ImageError("KATA_IMAGE_REGISTRY", reason, { cause: error });
  }
  return Buffer.concat(chunks);
}

/** What a registry says of its refusal, for people; empty where it says nothing. */
export async function wordsOf(body: Readable): Promise<string> {
  let text = "";
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      text += chunk.toString();
      if (text.length > MAX_WORDS_BYTES) break;
    }
  } catch {
    // What has come is what there is.
  } finally {
    body.destroy();
  }
  const found = errorsSchema.safeParse(parsedOrUndefined(text)).data;
  const listed = found?.errors?.map(({ code, message }) => [code, message].filter(Boolean).join(": ")).join("; ");
  const words =
    listed ?? found?.error_description ?? found?.message ?? found?.details ?? (text.startsWith("<") ? "" : text);
  return shown(words.trim());
}

export function parsedOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
