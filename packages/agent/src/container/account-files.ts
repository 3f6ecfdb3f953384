import { close, fstat, read } from "node:fs";
import { join, normalize, relative } from "node:path";
import { promisify } from "node:util";
import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { openInRoot } from "@kata-ts/linux";

const MAX_BYTES = 1024 * 1024;

export type AccountFile = "/etc/passwd" | "/etc/group";

/** The text of such a file of a container; "" where there is none that can be read. Of a longer one the first MiB. */
export type AccountFiles = (file: AccountFile) => Promise<string>;

/** Those of a directory tree that is a container's root. */
export function accountFilesIn(root: string): AccountFiles {
  return (file) => textIn(root, file);
}

/** What will be seen there once all is mounted: the last mount over it, or else the root's own. */
export function accountFilesOf({ root, mounts = [] }: RuntimeSpec): AccountFiles {
  return (file) => {
    const covers = ({ destination }: { destination: string }): boolean => {
      const path = normalize(destination).replace(/\/+$/, "");
      return path === file || file.startsWith(`${path}/`);
    };
    const mount = mounts.findLast(covers);
    if (mount === undefined) return textIn(root?.path ?? "", file);
    const { type, source, destination } = mount;
    if (type !== "bind" || source === undefined) return Promise.resolve("");
    const rest = relative(normalize(destination), file);
    return rest === "" ? textIn(join(source, ".."), source.slice(source.lastIndexOf("/"))) : textIn(source, rest);
  };
}

async function textIn(root: string, path: string): Promise<string> {
  try {
    const fd = await openInRoot(root, path.replace(/^\/+/, ""));
    try {
      const found = await promisify(fstat)(fd);
      return found.isFile() ? await start(fd, Math.min(found.size, MAX_BYTES)) : "";
    } finally {
      await promisify(close)(fd);
    }
  } catch {
    return "";
  }
}

async function start(fd: number, size: number): Promise<string> {
  const bytes = Buffer.alloc(size);
  const { bytesRead } = await promisify(read)(fd, bytes, 0, size, 0);
  return bytes.toString("utf8", 0, bytesRead);
}
