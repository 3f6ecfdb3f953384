// For relay-flood.test.ts: a relay in a process of its own, which tells about itself once per line.
import { threadCpuUsage } from "node:process";
import { DnsForwarder } from "./dns-forwarder.ts";
import { Relay } from "./relay.ts";

const TELL_MS = 50;
const [listenSocket = "", muxSocket = ""] = process.argv.slice(2);

let longestTurn = 0;
let last = threadCpuUsage();
// Counts the processor's time, not the clock's: a busy machine does not make a turn longer.
function turn(): void {
  const now = threadCpuUsage();
  longestTurn = Math.max(longestTurn, (now.user + now.system - last.user - last.system) / 1000);
  last = now;
  setImmediate(turn);
}

const dns = new DnsForwarder({ resolver: "127.53.0.12" });
const relay = await Relay.start({ listenSocket, muxSocket, onGuestStream: (stream) => void dns.serve(stream) });
turn();
const teller = setInterval(() => {
  const told = { residentBytes: process.memoryUsage.rss(), longestTurnMs: longestTurn };
  longestTurn = 0;
  process.stdout.write(`${JSON.stringify(told)}\n`);
}, TELL_MS);
await relay.ended;
clearInterval(teller);
process.exit(0);
