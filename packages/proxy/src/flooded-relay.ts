// For relay-flood.test.ts: a relay in a process of its own, with what kata-proxy serves its guest.
import { DnsForwarder } from "./dns-forwarder.ts";
import { serveGuestStream } from "./guest-stream.ts";
import { Relay } from "./relay.ts";

const [listenSocket = "", muxSocket = ""] = process.argv.slice(2);
const dns = new DnsForwarder({ resolver: "127.53.0.12" });
const relay = await Relay.start({
  listenSocket,
  muxSocket,
  onGuestStream: (stream) => void serveGuestStream(stream, dns),
});
await relay.ended;
process.exit(0);
