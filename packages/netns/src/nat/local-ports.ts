import { readFileSync } from "node:fs";
import { formatAddress } from "./ipv4.ts";

/** States of the kernel's tables of sockets: a port that is listened at, and one of datagrams without a peer. */
const OPEN: Readonly<Record<"tcp" | "udp", string>> = { tcp: "0A", udp: "07" };

/**
 * The addresses of the calling thread's network namespace at which a port is taken, such as `127.0.0.1` or `::`. A table that this
 * kernel does not have has none.
 */
export function takenAddresses(port: number, protocol: "tcp" | "udp"): string[] {
  const tables = [protocol, `${protocol}6`].map((name) => readTable(`/proc/thread-self/net/${name}`));
  return [...new Set(tables.flatMap((table) => openAddresses(table, port, OPEN[protocol])))];
}

function readTable(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** @param table lines such as `0: 0100007F:1F90 00000000:0000 0A …` */
export function openAddresses(table: string, port: number, state: string): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = table.matchAll(/^\s*\d+: ([\dA-F]+):([\dA-F]{4}) [\dA-F]+:[\dA-F]{4} ([\dA-F]{2})/gm);
  return [...lines].flatMap(([, address = "", hex, found]) =>
    hex === wanted && found === state ? [readAddress(address)] : [],
  );
}

/** Words of four bytes, each as this machine has numbers: all that we run on begin with the least. */
function readAddress(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
  if (bytes.length === 4) return formatAddress(bytes.readUInt32BE());
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
