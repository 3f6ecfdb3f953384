import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, it } from "vitest";
import { openAddresses, takenAddresses } from "./local-ports.ts";

it("a port is taken where it is listened at", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(takenAddresses(port, "tcp")).toEqual(["127.0.0.1"]);
  expect(takenAddresses(port, "udp")).toEqual([]);
  const socket = createSocket("udp4").bind(0, "127.0.0.2");
  await once(socket, "listening");
  expect(takenAddresses(socket.address().port, "udp")).toEqual(["127.0.0.2"]);
  socket.close();
  server.close();
});

it("IPv6 has addresses, too, and a connection is none", () => {
  const table = `  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: B80D0120000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000
   2: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:0001 01 00000000:00000000
   3: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000`;
  expect(openAddresses(table, 8080, "0A")).toEqual(["::1", "2001:db8::1"]);
});
