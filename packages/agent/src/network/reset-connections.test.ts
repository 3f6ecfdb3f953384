import { expect, it } from "vitest";
import { connectionsIn } from "./reset-connections.ts";

const HEADER =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                  ";

function line(remote: string, state: string, inode: string): string {
  return `   0: 0200A8C0:D2F0 ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 20 4 30 10 -1`;
}

it.each([
  ["to another host", "0100A8C0:0050", "01", ["7"]],
  ["to another host, over IPv6", "B80D0120000000000000000001000000:0050", "01", ["7"]],
  ["to another host, over a socket of IPv6", "0000000000000000FFFF00000100A8C0:0050", "01", ["7"]],
  ["that begins", "0100A8C0:0050", "02", ["7"]],
  ["that listens", "00000000:0000", "0A", []],
  ["to the loopback", "0100007F:0050", "01", []],
  ["to another address of the loopback", "3500007F:0050", "01", []],
  ["to the loopback of IPv6", "00000000000000000000000001000000:0050", "01", []],
  ["to the loopback, over a socket of IPv6", "0000000000000000FFFF00000100007F:0050", "01", []],
])("a connection %s", (_, remote, state, expected) => {
  expect(connectionsIn(`${HEADER}\n${line(remote, state, "7")}\n`)).toEqual(expected);
});

it("a connection that no process has any more is left to its end", () => {
  expect(connectionsIn(`${HEADER}\n${line("0100A8C0:0050", "06", "0")}\n`)).toEqual([]);
});
