// Runs where the kernel has ipvlan: in a container, as root of its guest. Joins an ipvlan to a tap as the runtime does,
// puts a second network stack behind that tap as a VM would be, and lets a program outside talk to it. Prints one line
// of JSON. Argument: the ipvlan's mode.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeSync } from "node:fs";
import type { Socket } from "node:net";
import { openPollable, openTap } from "@kata-ts/linux";
import {
  type Connection,
  connect,
  disconnect,
  NetworkNamespace,
  planConnections,
  runBatch,
  scanNamespace,
} from "@kata-ts/netns";
import { PEER } from "./network.ts";

const mode = process.argv[2] ?? "l2";
const PORT = "7000";
const V4 = "10.221.0.2";

/** A namespace with a process in it, so that links can be moved there by pid. */
function inhabited(): { namespace: NetworkNamespace; pid: string; inhabitant: ChildProcess } {
  const namespace = NetworkNamespace.create();
  const inhabitant = namespace.run(() => spawn("sleep", ["1000"], { stdio: "ignore" }));
  return { namespace, pid: String(inhabitant.pid), inhabitant };
}

/** Passes every frame from one tap to the other, until the stream is paused: a read is a frame, and so is a write. */
function pass(from: number, to: number): Socket {
  const frames = openPollable(from, { readable: true, writable: false });
  frames.on("data", (frame: Buffer) => {
    writeSync(to, frame);
  });
  frames.on("error", () => undefined); // Its tap goes when the connection is taken back.
  return frames;
}

function output(namespace: NetworkNamespace, command: string, ...args: readonly string[]): Promise<string> {
  const child = namespace.run(() => spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] }));
  return new Promise((resolve) => {
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.once("close", () => {
      resolve(text);
    });
  });
}

const [parent, far, pod, guest] = [inhabited(), inhabited(), inhabited(), inhabited()];
await runBatch("ip", parent.namespace.path, [
  "link set dev lo up",
  `link add base0 type veth peer name far0 netns ${far.pid}`,
  "addr add 10.222.0.1/24 dev base0",
  "link set dev base0 up",
  `link add link base0 name eth0 netns ${pod.pid} type ipvlan mode ${mode}`,
]);
await runBatch("ip", far.namespace.path, [
  "addr add 10.222.0.2/24 dev far0",
  ...(mode === "l2" ? ["addr add 10.221.0.1/24 dev far0"] : []),
  "link set dev far0 up",
  ...(mode === "l2" ? [] : ["route add 10.221.0.0/24 via 10.222.0.1"]),
]);
await runBatch("ip", pod.namespace.path, [
  "link set dev eth0 addrgenmode none",
  `addr add ${V4}/24 dev eth0`,
  "link set dev eth0 up",
  ...(mode === "l2" ? [] : ["route add default dev eth0"]),
]);

const questions = ["link show", "addr show", "route show table all"];
const snapshot = async (): Promise<string> =>
  (await runBatch("ip", pod.namespace.path, questions)) + (await runBatch("tc", pod.namespace.path, ["qdisc show"]));
// The far end of the cable has just come up: the kernel settles down once it has noticed.
let before = await snapshot();
while (before.includes("NO-CARRIER") || !before.includes("multicast ff00::/8")) before = await snapshot();
const { endpoints, routes, links } = await scanNamespace(pod.namespace.path);
const taken = links.map(({ name }) => name);
const plan: Connection[] = await planConnections(pod.namespace.path, endpoints, { model: "macvtap", queues: 1, taken });
const open = await connect(pod.namespace.path, plan);
const [endpoint] = endpoints;
const podTap = open.descriptors[0]?.[0] ?? -1;
const guestTap = guest.namespace.run(() => openTap("eth0", { queues: 1 }))[0] ?? -1;
const passing = [pass(podTap, guestTap), pass(guestTap, podTap)];
await runBatch("ip", guest.namespace.path, [
  `link set dev eth0 address ${plan[0]?.mac ?? ""} mtu ${String(plan[0]?.mtu)}`,
  `link set dev eth0 arp ${endpoint?.noArp === true ? "off" : "on"}`,
  `addr add ${V4}/24 dev eth0`,
  "link set dev eth0 up",
  ...routes.map(() => "route add default dev eth0"),
]);
const server = guest.namespace.run(() =>
  spawn("python3", [PEER, "serve", PORT], { stdio: ["ignore", "pipe", "inherit"] }),
);
await once(server.stdout, "data");
const pinged = await output(far.namespace, "/bin/busybox", "ping", "-c", "2", V4);
const downloaded = await output(far.namespace, "python3", PEER, "download", V4, PORT, "2");
// The guest's stack sends of itself, and the pod's tap goes now.
for (const frames of passing) frames.pause();
await disconnect(pod.namespace.path, plan);
process.stdout.write(
  `${JSON.stringify({
    kind: endpoint?.kind,
    noArp: endpoint?.noArp,
    model: plan[0]?.model,
    loss: /(\d+)% packet loss/.exec(pinged)?.[1],
    digest: downloaded.trim(),
    before,
    after: await snapshot(),
  })}\n`,
);
for (const { inhabitant } of [parent, far, pod, guest]) inhabitant.kill();
server.kill();
process.exit(0);
