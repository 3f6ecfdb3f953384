import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openDatagrams } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConnectionJournal, disconnect, runBatch } from "../index.ts";
import { listRules } from "../nat/nft.ts";
import { changeOwnAddresses, withholdOutput } from "./filters.ts";
import {
  address,
  arp,
  ethernet,
  ICMP,
  ICMPV6,
  MAC,
  neighbour6,
  packet,
  ports,
  TCP,
  UDP,
  words,
} from "./frames.fixture.ts";
import {
  ALLOWED,
  ALLOWED6,
  FORBIDDEN,
  FORBIDDEN6,
  fromMachine,
  fromOutside,
  open,
  POD,
  POD6,
  planFor,
  plans,
  pod,
  reached,
  received,
} from "./machine.fixture.ts";

const [SYN, ACK] = [0x02, 0x10];
const ECHO_REPLY = words(0, 0, 0, 0);

const [SOLICITATION, ADVERTISEMENT] = [135, 136];
const LIST = [ALLOWED, `${FORBIDDEN}:443`, ALLOWED6, `[${FORBIDDEN6}]:443`];
/** Loose source routing: by way of ALLOWED to FORBIDDEN. */
const VIA_ANOTHER = Buffer.of(131, 7, 4, 10, 4, 0, 9, 0);
const routing = { kind: 43, header: Buffer.concat([Buffer.of(2, 4, 1), Buffer.alloc(4), address(ALLOWED6)]) };
const fragment6 = (offset: number) => ({ kind: 44, header: Buffer.concat([Buffer.of(0), words(offset, 0, 7)]) });

describe("an interface whose egress is limited", () => {
  // The kernel reports to the network what groups the namespace's own card listens to, at a moment of its choice.
  beforeEach(() => withholdOutput(pod.path));

  it.each([
    ["a datagram to an address", packet(UDP, ports(9, 9), { from: POD, to: ALLOWED })],
    ["any other protocol to it", packet(47, ports(9, 9), { from: POD, to: ALLOWED })],
    ["a later part to it", packet(UDP, ports(9, 9), { from: POD, to: ALLOWED, fragment: 100 })],
    ["a connection to a port", packet(TCP, ports(9, 443, SYN), { from: POD, to: FORBIDDEN })],
    ["a datagram to a port", packet(UDP, ports(9, 443), { from: POD, to: FORBIDDEN })],
    ["a datagram over IPv6", packet(UDP, ports(9, 9), { from: POD6, to: ALLOWED6 })],
    ["a connection to a port over IPv6", packet(TCP, ports(9, 443, SYN), { from: POD6, to: FORBIDDEN6 })],
    ["a question for a neighbour", arp(MAC, POD, FORBIDDEN)],
    ["a question for a neighbour over IPv6", neighbour6(SOLICITATION, FORBIDDEN6, { from: POD6 })],
    ["an answer about itself over IPv6", neighbour6(ADVERTISEMENT, POD6, { from: POD6 })],
    ["a question whether its own address is free", neighbour6(SOLICITATION, POD6, { from: "::" })],
  ])("passes on %s", async (_what, frame) => {
    const place = await open(LIST);
    fromMachine(place, frame);
    expect(await reached(place)).toEqual([frame.toString("hex")]);
  });

  it.each([
    ["a datagram", packet(UDP, ports(9, 9), { from: POD, to: FORBIDDEN })],
    ["a connection to another port", packet(TCP, ports(9, 80, SYN), { from: POD, to: FORBIDDEN })],
    ["a part of a connection that is not there", packet(TCP, ports(9, 80, ACK), { from: POD, to: FORBIDDEN })],
    ["a ping", packet(ICMP, words(0x0800, 0, 0, 0), { from: POD, to: FORBIDDEN })],
    ["another protocol", packet(47, ports(9, 443), { from: POD, to: FORBIDDEN })],
    ["a way through an address", packet(UDP, ports(9, 9), { from: POD, to: ALLOWED, options: VIA_ANOTHER })],
    ["a datagram over IPv6", packet(UDP, ports(9, 9), { from: POD6, to: FORBIDDEN6 })],
    ["another port over IPv6", packet(TCP, ports(9, 80, SYN), { from: POD6, to: FORBIDDEN6 })],
  ])("refuses %s, with an answer", async (_what, frame) => {
    const place = await open(LIST);
    fromMachine(place, frame);
    expect(await reached(place)).toEqual([]);
    expect(await received(place)).toHaveLength(1);
  });

  it.each([
    ["a later part to a port", packet(UDP, ports(9, 443), { from: POD, to: FORBIDDEN, fragment: 100 })],
    ["a later part over IPv6", packet(UDP, ports(9, 443), { from: POD6, to: FORBIDDEN6, extension: fragment6(800) })],
    ["an answer to a ping that was not sent", packet(ICMP, ECHO_REPLY, { from: POD, to: FORBIDDEN })],
    ["a way through an address over IPv6", packet(UDP, ports(9, 9), { from: POD6, to: ALLOWED6, extension: routing })],
    ["a message to a group", packet(UDP, ports(9, 443), { from: POD, to: "224.0.0.251" })],
    ["a message to all", packet(UDP, ports(67, 67), { from: POD, to: "255.255.255.255" })],
    [
      "a message to a group over IPv6",
      packet(ICMPV6, words(0x8500, 0, 0, 0), { from: POD6, to: "ff02::2", hopLimit: 255 }),
    ],
  ])("holds back %s", async (_what, frame) => {
    const place = await open(LIST);
    fromMachine(place, frame);
    expect(await reached(place)).toEqual([]);
  });

  it.each([
    ["another's address", packet(UDP, ports(9, 9), { from: "10.3.0.7", to: ALLOWED })],
    ["another's address over IPv6", packet(UDP, ports(9, 9), { from: "fd00:3::7", to: ALLOWED6 })],
    ["another card", packet(UDP, ports(9, 9), { from: POD, to: ALLOWED, mac: "02:00:00:00:00:07" })],
    ["a virtual network", packet(UDP, ports(9, 9), { from: POD, to: ALLOWED, vlan: 5 })],
    ["no address, to an allowed one", packet(UDP, ports(9, 9), { from: "0.0.0.0", to: ALLOWED })],
    ["another's address for a neighbour", arp(MAC, "10.3.0.1", ALLOWED)],
    ["another's card for a neighbour", arp("02:00:00:00:00:07", POD, ALLOWED)],
    ["no protocol of ours", ethernet(0x88cc, Buffer.alloc(60))],
    ["another's address for a neighbour over IPv6", neighbour6(ADVERTISEMENT, ALLOWED6, { from: POD6 })],
    ["no address, for a neighbour's own", neighbour6(SOLICITATION, ALLOWED6, { from: "::" })],
    [
      "a question for a neighbour with more in it",
      neighbour6(SOLICITATION, FORBIDDEN6, { from: POD6, more: Buffer.alloc(64) }),
    ],
  ])("drops what comes from %s", async (_what, frame) => {
    const place = await open(LIST);
    fromMachine(place, frame);
    expect(await reached(place)).toEqual([]);
    expect(await received(place)).toEqual([]);
  });

  it.each([
    ["a connection", TCP, ports(5000, 80, SYN), ports(80, 5000, ACK), ports(81, 5000, ACK)],
    ["a datagram", UDP, ports(5000, 80), ports(80, 5000), ports(80, 5001)],
  ])(
    "lets the machine answer %s from outside, and nothing else there",
    async (_what, protocol, asked, answer, other) => {
      const place = await open(["10.3.0.9/32"]);
      const from = packet(protocol, asked, { from: FORBIDDEN, to: POD, mac: MAC });
      fromOutside(place, from);
      expect(await received(place)).toEqual([from.toString("hex")]);
      const answered = packet(protocol, answer, { from: POD, to: FORBIDDEN });
      fromMachine(place, answered);
      fromMachine(place, packet(protocol, other, { from: POD, to: FORBIDDEN }));
      expect(await reached(place)).toEqual([answered.toString("hex")]);
    },
  );

  it("lets the machine answer a ping", async () => {
    const place = await open(["10.3.0.9/32"]);
    const ping = packet(ICMP, words(0x0800, 0, 0, 0), { from: FORBIDDEN, to: POD, mac: MAC });
    fromOutside(place, ping);
    await received(place);
    const answer = packet(ICMP, ECHO_REPLY, { from: POD, to: FORBIDDEN });
    fromMachine(place, answer);
    expect(await reached(place)).toEqual([answer.toString("hex")]);
  });

  it("is as it was once that is taken back", async () => {
    const shown = async (): Promise<string> =>
      (await runBatch("ip", pod.path, ["link show", "addr show"])).replaceAll(/<.*?>|state \S+/g, "") +
      (await runBatch("tc", pod.path, ["qdisc show"])) +
      (await pod.run(() => listRules("list ruleset")));
    const before = await shown();
    await open(["none"]);
    expect(await shown()).not.toBe(before);
    await disconnect(pod.path, plans);
    await disconnect(pod.path, plans);
    expect(await shown()).toBe(before);
  });

  it("is of a kind that has the host's rules in between", async () => {
    await runBatch("ip", pod.path, [
      "tuntap add own0 mode tap vnet_hdr",
      "addr add 10.5.0.2/24 dev own0",
      "link set own0 up",
    ]);
    await expect(planFor(pod, ["none"])).rejects.toMatchObject({
      code: "KATA_NETWORK_UNSUPPORTED",
      message: "what is called through interface own0 (tap) cannot be limited",
    });
  });

  it("has no header before its frames: by that the kernel writes a checksum after they were compared, such as over an address", async () => {
    const place = await open(LIST);
    const [needsChecksum, from, over] = [1, 14 + 8, 14 + 38];
    const header = Buffer.alloc(10);
    header.writeUInt8(needsChecksum);
    header.writeUInt16LE(from, 6);
    header.writeUInt16LE(over - from, 8);
    fromMachine(place, Buffer.concat([header, packet(UDP, ports(9, 9), { from: POD6, to: ALLOWED6 })]));
    expect(await reached(place)).toEqual([]);
  });

  it("may have other addresses than its interface", async () => {
    const place = await open([ALLOWED, ALLOWED6], ["10.3.0.7", "fd00:3::7"]);
    const frame = packet(UDP, ports(9, 9), { from: "10.3.0.7", to: ALLOWED });
    fromMachine(place, packet(UDP, ports(9, 9), { from: POD, to: ALLOWED }));
    fromMachine(place, neighbour6(ADVERTISEMENT, POD6, { from: "fd00:3::7" }));
    expect(await reached(place, frame)).toEqual([]);
  });

  it("may have other addresses later, and then not the earlier ones", async () => {
    const place = await open([ALLOWED]);
    await changeOwnAddresses(pod.path, plans[0] ?? expect.unreachable(), ["10.3.0.7", "fd00:3::7"]);
    const [frame, own] = [
      packet(UDP, ports(9, 9), { from: "10.3.0.7", to: ALLOWED }),
      neighbour6(ADVERTISEMENT, "fd00:3::7", { from: "fd00:3::7" }),
    ];
    fromMachine(place, packet(UDP, ports(9, 9), { from: POD, to: ALLOWED }));
    fromMachine(place, neighbour6(ADVERTISEMENT, POD6, { from: "fd00:3::7" }));
    fromMachine(place, own);
    expect(await reached(place, frame)).toEqual([own.toString("hex")]);
  });
});

describe("a machine whose egress is limited", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "netns-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("has a namespace that sends nothing itself but to its loopback, until it is given back", async () => {
    const journal = new ConnectionJournal(join(directory, "network.json"));
    await journal.limit(pod.path, pod.identity, ["none"]);
    expect(journal.egress()).toEqual(["none"]);
    const sending = (to: string): Promise<unknown> => {
      const socket = createSocket("udp4");
      socket.bind({ fd: pod.run(openDatagrams) });
      return promisify<string, number, string>(socket.send.bind(socket))("x", 9, to).finally(() => socket.close());
    };
    await expect(sending(ALLOWED)).rejects.toMatchObject({ code: "EPERM" });
    await sending("127.0.0.1");
    await journal.close([pod.path]);
    await sending(ALLOWED);
    expect(await pod.run(() => listRules("list tables"))).not.toContain("kata-ts");
    await expect(journal.limit(pod.path, pod.identity, ["none"])).rejects.toThrow("the virtual machine has ended");
    await sending(ALLOWED);
  });
});
