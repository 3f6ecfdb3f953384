import type { Readable } from "node:stream";
import { type Descriptor, parseIndex } from "../documents.ts";
import { ImageError } from "../errors.ts";
import { openInside, readInside } from "../unpack/in-root.ts";
import type { ImageSource } from "./source.ts";

const REF_NAME = "org.opencontainers.image.ref.name";

/** An OCI image layout: a directory with index.json and blobs by digest. */
export class LayoutSource implements ImageSource {
  readonly name: string;
  readonly #directory: string;
  readonly #tag: string | undefined;

  /** @param tag the annotation `org.opencontainers.image.ref.name`; needed where the layout has several images */
  constructor(directory: string, tag?: string) {
    this.name = tag === undefined ? directory : `${directory}:${tag}`;
    this.#directory = directory;
    this.#tag = tag;
  }

  async root(): Promise<Descriptor> {
    const text = await readInside(this.#directory, "index.json").catch((error: unknown) => {
      throw new ImageError(
        "KATA_IMAGE_NOT_FOUND",
        `${this.#directory}: no OCI image layout: ${(error as Error).message}`,
      );
    });
    const { manifests } = parseIndex(text, this.name);
    const fitting = manifests.filter(
      ({ annotations }) => this.#tag === undefined || annotations?.[REF_NAME] === this.#tag,
    );
    const [found, ...more] = fitting;
    if (found !== undefined && more.length === 0) return found;
    const tags = manifests.flatMap(({ annotations }) => annotations?.[REF_NAME] ?? []);
    const which = found === undefined ? "no such image" : "several images: name one";
    throw new ImageError(
      "KATA_IMAGE_NOT_FOUND",
      `${this.name}: ${which} (has ${tags.join(", ") || "none with a name"})`,
    );
  }

  async blob({ digest }: Descriptor): Promise<Readable> {
    try {
      // A layout is somebody else's: a link in it must not make us read another file.
      return (await openInside(this.#directory, `blobs/${digest.replace(":", "/")}`)).createReadStream();
    } catch (error) {
      throw new ImageError("KATA_IMAGE_NOT_FOUND", `${this.name}: blob ${digest}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}
