import { dirname, relative } from "node:path";

/** mount(2) takes one page of options. */
const MAX_BYTES = 4_000;
const LOWER = "lowerdir=";

/** An overlay's options as they are to be given from within `directory`. */
interface Shortened {
  readonly directory: string;
  readonly data: string;
}

/**
 * An image of many layers has more paths than mount(2) takes: they are named from the directory that all of them are in.
 * Undefined where the options are short enough, or are no overlay's.
 */
export function shortened(data: string): Shortened | undefined {
  if (Buffer.byteLength(data) <= MAX_BYTES) return undefined;
  const options = data.split(",");
  const lower = options.find((option) => option.startsWith(LOWER));
  if (lower === undefined) return undefined;
  const layers = lower.slice(LOWER.length).split(":");
  const directory = commonParent(layers);
  if (directory === "/") return undefined;
  const names = layers.map((layer) => relative(directory, layer)).join(":");
  return { directory, data: options.map((option) => (option === lower ? LOWER + names : option)).join(",") };
}

function commonParent(paths: readonly string[]): string {
  const [first = "/", ...others] = paths.map((path) => `${dirname(path)}/`);
  let parent = first;
  while (!others.every((path) => path.startsWith(parent))) parent = `${dirname(parent)}/`.replace("//", "/");
  return parent.length > 1 ? parent.slice(0, -1) : parent;
}
