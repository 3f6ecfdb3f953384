import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { applyLayer } from "../src/unpack/layer.ts";
import { type Entry, tarOf } from "./tar.ts";

export function digestOf(data: Buffer): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** When the secret was last written, in seconds. */
const SECRET_TIME = 1_234_567_890;

/** A directory in which layers are unpacked, with a secret beside it that none may touch. */
export class LayerBox {
  readonly directory: string = mkdtempSync(join(tmpdir(), "kata-layer-"));
  readonly root: string = join(this.directory, "root");
  /** Where the layer's file is. */
  readonly file: string = join(this.directory, "layer");
  readonly #outside = join(this.directory, "outside");

  constructor() {
    mkdirSync(this.root);
    mkdirSync(this.#outside);
    writeFileSync(join(this.#outside, "secret"), "untouched");
    utimesSync(join(this.#outside, "secret"), SECRET_TIME, SECRET_TIME);
  }

  /** Whatever the layer was: what is beside the root is as it was. */
  expectUntouched(): void {
    expect(readdirSync(this.directory).sort()).toEqual(["layer", "outside", "root"]);
    expect(readdirSync(this.#outside)).toEqual(["secret"]);
    expect(readFileSync(join(this.#outside, "secret"), "utf8")).toBe("untouched");
    expect(statSync(join(this.#outside, "secret")).mtimeMs).toBe(SECRET_TIME * 1000);
  }

  async apply(
    entries: readonly Entry[],
    { compress = (data: Buffer): Buffer => data, bytes = 1e6, count = 100, warnings = [] as string[] } = {},
  ): Promise<void> {
    const tar = tarOf(entries);
    writeFileSync(this.file, compress(tar));
    await applyLayer(this.root, this.file, {
      name: "layer",
      diffId: digestOf(tar),
      budget: { bytes, entries: count },
      warn: (message) => warnings.push(message),
    });
  }

  async applyTar(tar: Buffer, bytes = 1e6): Promise<void> {
    writeFileSync(this.file, tar);
    await applyLayer(this.root, this.file, {
      name: "layer",
      diffId: digestOf(tar),
      budget: { bytes, entries: 100 },
    });
  }

  /** Applies what is in `file`. */
  async applyFile(bytes = 1e6, diffId?: string, warnings: string[] = []): Promise<void> {
    const budget = { bytes, entries: 100 };
    const warn = (message: string): number => warnings.push(message);
    await applyLayer(this.root, this.file, {
      name: "layer",
      budget,
      warn,
      ...(diffId === undefined ? {} : { diffId }),
    });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** A new box for each test of the file. */
export function layerBoxes(): () => LayerBox {
  let box: LayerBox;
  beforeEach(() => {
    box = new LayerBox();
  });
  afterEach(() => {
    box.expectUntouched();
    box.remove();
  });
  return () => box;
}
