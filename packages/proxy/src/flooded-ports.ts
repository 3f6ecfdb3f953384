// For port-flood.test.ts: a relay and forwarded ports in a process of its own, whose network namespace they are for.
import { PortForwarder } from "./port-forwarder.ts";
import { Relay } from "./relay.ts";

const [listenSocket = "", muxSocket = "", noteFile = ""] = process.argv.slice(2);
const relay = await Relay.start({ listenSocket, muxSocket });
const ports = await PortForwarder.start({ openStream: () => relay.openStream(), noteFile });
await relay.ended;
await ports.stop();
process.exit(0);
