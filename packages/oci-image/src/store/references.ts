import { randomBytes } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { digestSchema } from "../documents.ts";
import { type Places, REFERENCE } from "./places.ts";

/** A name that an image has in a store. */
export interface StoredName {
  readonly name: string;
  readonly digest: string;
}

const schema: z.ZodType<StoredName> = z.object({ name: z.string(), digest: digestSchema });

/** Names of images to their digests, a file each. */
export class References {
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
  }

  async list(): Promise<StoredName[]> {
    const files = await readdir(this.#places.references).catch(() => []);
    const read = await Promise.all(
      files.filter((file) => file.endsWith(REFERENCE)).map((file) => readName(join(this.#places.references, file))),
    );
    return read.filter((each) => each !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async find(name: string): Promise<string | undefined> {
    return (await readName(this.#places.reference(name)))?.digest;
  }

  /** Gives a name to an image, which takes it from another. */
  async set(name: string, digest: string): Promise<void> {
    const file = this.#places.reference(name);
    const unfinished = `${file}.${randomBytes(4).toString("hex")}`;
    await writeFile(unfinished, JSON.stringify({ name, digest }), { flush: true });
    await rename(unfinished, file);
  }

  async remove(name: string): Promise<void> {
    await rm(this.#places.reference(name), { force: true });
  }
}

async function readName(file: string): Promise<StoredName | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return undefined; // It is not there, or damaged: the image can be fetched again.
  }
}
