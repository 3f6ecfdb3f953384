import { readdirSync, readlinkSync } from "node:fs";
import { LinuxError, resetTcp } from "@kata-ts/linux";
import { textOf } from "../files.ts";

const LISTENS = "0A";
/** 127.0.0.0/8, alone and in IPv6, and ::1, as the kernel writes them: words of four bytes in the machine's order. */
const LOOPBACK = /^(?:(?:0{16}FFFF0000)?[\dA-F]{6}7F|0{24}01000000)$/;

/** Ends all TCP connections of the guest's processes that lead out of it, as a reset by their other ends would. */
export function resetConnections(): void {
  const sockets = new Set([textOf("/proc/net/tcp"), textOf("/proc/net/tcp6")].flatMap(connectionsIn));
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (sockets.size === 0) return;
    for (const [descriptor, socket] of socketsOf(pid)) {
      if (sockets.delete(socket)) reset(Number(pid), descriptor, Number(socket));
    }
  }
}

/** The sockets, by their inodes, of connections in a table of the kernel's that do not lead to the guest itself. */
export function connectionsIn(table: string): string[] {
  return table.split("\n").flatMap((line) => {
    const [, , remote = "", state, , , , , , inode = ""] = line.trim().split(/\s+/);
    const [address = ""] = remote.split(":");
    return state === LISTENS || !/^[1-9]\d*$/.test(inode) || LOOPBACK.test(address) ? [] : [inode];
  });
}

/** None of a process that has ended meanwhile. */
function socketsOf(pid: string): [descriptor: number, inode: string][] {
  const directory = `/proc/${pid}/fd`;
  try {
    return readdirSync(directory).flatMap((name): [number, string][] => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`${directory}/${name}`))?.[1];
      return inode === undefined ? [] : [[Number(name), inode]];
    });
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // It was closed meanwhile.
  }
}

/** What is gone is reset. */
function reset(pid: number, descriptor: number, socket: number): void {
  try {
    resetTcp(pid, descriptor, socket);
  } catch (error) {
    if (!(error instanceof LinuxError) || !["ESRCH", "EBADF"].includes(error.errno)) throw error;
  }
}
