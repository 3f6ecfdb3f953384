import { Header, type HeaderData } from "tar";

/** An entry of an archive, with what a test wants of it. */
export interface Entry {
  readonly path: string;
  readonly type?:
    | "File"
    | "Directory"
    | "SymbolicLink"
    | "Link"
    | "CharacterDevice"
    | "BlockDevice"
    | "FIFO"
    | "TapeVolumeHeader";
  readonly linkpath?: string;
  readonly text?: string;
  readonly mode?: number;
  readonly device?: readonly [major: number, minor: number];
  /** Records of a pax header before it. */
  readonly pax?: Readonly<Record<string, string | Buffer>>;
}

/** Written block by block, as strange as wanted. */
export function tarOf(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(1024)]);
}

export function blocksOf({
  path,
  type = "File",
  linkpath = "",
  text = "",
  mode = 0o644,
  device,
  pax,
}: Entry): Buffer[] {
  const [devmaj, devmin] = device ?? [0, 0];
  const owner = { uid: 7, gid: 8, mtime: new Date(1e12) };
  const header = { path, type, linkpath, mode, devmaj, devmin, ...owner };
  const before = pax === undefined ? [] : withData({ path: "pax", type: "ExtendedHeader" }, paxRecords(pax));
  return [...before, ...withData(header, Buffer.from(text))];
}

/** A header, its content, and the padding behind it. */
export function withData(header: Partial<HeaderData>, content: Buffer): Buffer[] {
  const block = Buffer.alloc(512);
  new Header({ ...header, size: content.length }).encode(block);
  return [block, content, Buffer.alloc(-content.length & 511)];
}

/** What is in a pax header: "LENGTH KEY=VALUE\n" for each. */
export function paxRecords(records: Readonly<Record<string, string | Buffer>>): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
    let length = body.length + 1;
    while (String(length).length + body.length > length) length += 1;
    return Buffer.concat([Buffer.from(String(length)), body]);
  });
  return Buffer.concat(lines);
}
