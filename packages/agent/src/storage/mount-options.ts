import { MountFlag } from "@kata-ts/linux";

export interface MountOptions {
  /** Sum of MountFlag values. */
  readonly flags: number;
  /** The file system's own options. */
  readonly data: string;
}

/** Splits options as mount(8) writes them into flags of mount(2) and file system data. */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let flags = 0;
  const data: string[] = [];
  for (const option of options.flatMap((item) => item.split(","))) {
    const name = option === "ro" ? "rdonly" : option === "rbind" ? "bind" : option;
    if (isFlag(name)) flags |= MountFlag[name];
    else if (!["", "rw", "defaults", "suid", "dev", "exec"].includes(option)) data.push(option);
    if (option === "rbind") flags |= MountFlag.rec;
  }
  return { flags, data: data.join(",") };
}

function isFlag(name: string): name is keyof typeof MountFlag {
  return Object.hasOwn(MountFlag, name);
}
