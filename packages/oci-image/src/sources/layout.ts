import type { Readable } from "node:stream";
import { type Descriptor, parseIndex } from "../documents.ts";
import { ImageError } from "../errors.ts";
import { fileInside, openInside, readInside } from "../unpack/in-root.ts";
import { isNamed } from "./reference.ts";
import type { ImageSource } from "./source.ts";

/** What names an image in an index: the specification's, and what containerd and Docker write beside it. */
const NAMES = ["org.opencontainers.image.ref.name", "io.containerd.image.name"];

/** An OCI image layout: a directory with index.json and blobs by digest. */
export class LayoutSource implements ImageSource {
  readonly name: string;
  readonly #directory: string;
  readonly #tag: string | undefined;
  readonly #isOurs: boolean;

  /**
   * @param tag the annotation `org.opencontainers.image.ref.name`, or a name as Docker reads it; needed where the layout
   * has several images
   * @param isOurs the directory is ours: its files may be moved away
   */
  constructor(
    directory: string,
    tag?: string,
    { name = directory, isOurs = false }: { readonly name?: string; readonly isOurs?: boolean } = {},
  ) {
    this.name = tag === undefined ? name : `${name}:${tag}`;
    this.#directory = directory;
    this.#tag = tag;
    this.#isOurs = isOurs;
  }

  async roots(): Promise<readonly Descriptor[]> {
    const text = await readInside(this.#directory, "index.json").catch((error: unknown) => {
      throw new ImageError("KATA_IMAGE_NOT_FOUND", `${this.name}: no OCI image layout: ${(error as Error).message}`);
    });
    const { manifests } = parseIndex(text, this.name);
    const tag = this.#tag;
    const fitting = manifests.filter((each) => tag === undefined || namesOf(each).some((name) => isNamed(name, tag)));
    const distinct = [...new Map(fitting.map((each) => [each.digest, each])).values()];
    if (distinct.length === 1 || (distinct.length > 1 && isOneImage(distinct))) return distinct;
    const names = [...new Set(manifests.flatMap(namesOf))].join(", ");
    const which = distinct.length === 0 ? "no such image" : "several images: name one";
    throw new ImageError("KATA_IMAGE_NOT_FOUND", `${this.name}: ${which} (has ${names || "none with a name"})`);
  }

  async blob(descriptor: Descriptor): Promise<Readable> {
    // A layout is untrusted input: a link in it must not make us read another file.
    return await this.#inside(descriptor, async (path) => (await openInside(this.#directory, path)).createReadStream());
  }

  async ownFile(descriptor: Descriptor): Promise<Buffer | undefined> {
    if (!this.#isOurs) return undefined;
    return await this.#inside(descriptor, (path) => fileInside(this.#directory, path));
  }

  async #inside<T>({ digest }: Descriptor, look: (path: string) => Promise<T>): Promise<T> {
    try {
      return await look(`blobs/${digest.replace(":", "/")}`);
    } catch (error) {
      const reason = (error as Error).message;
      throw new ImageError("KATA_IMAGE_NOT_FOUND", `${this.name}: blob ${digest}: ${reason}`, { cause: error });
    }
  }
}

function namesOf({ annotations }: Descriptor): string[] {
  return NAMES.flatMap((name) => annotations?.[name] ?? []);
}

/** Manifests of one image for several platforms: each says for which, and none has a name that the others have not. */
function isOneImage(manifests: readonly Descriptor[]): boolean {
  const names = new Set(manifests.map((each) => namesOf(each).join(" ")));
  return names.size === 1 && manifests.every(({ platform }) => platform !== undefined);
}
