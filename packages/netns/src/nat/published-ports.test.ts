import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { openDatagrams } from "@kata-ts/linux";
import { expect, it } from "vitest";
import { NetworkNamespace } from "../namespace.ts";
import { type PublishedPort, publishPort } from "./published-ports.ts";

const WANTED: PublishedPort = { host: 0, container: 7, protocol: "udp", address: "127.0.0.1" };
const SEND_FROM_PORT_0 = `import socket, struct, sys
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
sender.sendto(struct.pack("!HHHH", 0, int(sys.argv[1]), 12, 0) + b"none", ("127.0.0.1", 0))`;

it("a datagram without a sender's port is not answered, and ends nothing", async () => {
  using guest = NetworkNamespace.create();
  guest.run(() => execFileSync("ip", ["link", "set", "lo", "up"]));
  const echo = createSocket("udp4");
  echo.bind({ fd: guest.run(() => openDatagrams({ address: "127.0.0.1", port: 7 })) });
  echo.on("message", (message, { port, address }) => {
    echo.send(message, port, address);
  });
  const { port, close } = await publishPort({ namespace: guest.path, address: "127.0.0.1" }, WANTED);
  execFileSync("python3", ["-c", SEND_FROM_PORT_0, String(port.host)]);
  const client = createSocket("udp4");
  client.send("echo", port.host, "127.0.0.1");
  expect(String((await once(client, "message"))[0])).toBe("echo");
  close();
  for (const socket of [client, echo]) socket.close();
});

it.each(["tcp", "udp"] as const)("a port of %s that is in use leaves no descriptor open", async (protocol) => {
  using guest = NetworkNamespace.create();
  const place = { namespace: guest.path, address: "127.0.0.1" };
  const { port, close } = await publishPort(place, { ...WANTED, protocol });
  const before = readdirSync("/proc/self/fd").length;
  await expect(publishPort(place, port)).rejects.toMatchObject({ code: "KATA_NETWORK" });
  expect(readdirSync("/proc/self/fd")).toHaveLength(before);
  close();
});

it.each(["tcp", "udp"] as const)(
  "of a range the first free port of %s is published, and no other",
  async (protocol) => {
    using guest = NetworkNamespace.create();
    const place = { namespace: guest.path, address: "127.0.0.1" };
    const taken = await publishPort(place, { ...WANTED, protocol });
    const other = await publishPort(place, { ...WANTED, protocol });
    const [first, free] = [taken.port.host, other.port.host];
    other.close();
    const wanted = { ...WANTED, protocol, among: [first, free] };
    const found = await publishPort(place, wanted);
    expect(found.port).toEqual({ host: free, container: 7, protocol, address: "127.0.0.1" });
    const before = readdirSync("/proc/self/fd").length;
    await expect(publishPort(place, wanted)).rejects.toThrow(
      `port ${String(first)}-${String(free)}/${protocol} of 127.0.0.1 cannot be published: 127.0.0.1:${String(free)} is taken`,
    );
    await expect(publishPort(place, { ...wanted, address: "192.0.2.9" })).rejects.toThrow("EADDRNOTAVAIL");
    expect(readdirSync("/proc/self/fd")).toHaveLength(before);
    for (const { close } of [taken, found]) close();
  },
);
