// For port-flood.test.ts: programs of a pod's network namespace that are connected to its loopback, and carry out the test's commands.
import { connect } from "node:net";

const [behaviour = "", count = "1"] = process.argv.slice(2);
const WORDS = Buffer.alloc(64 * 1024, "flood");

function open(): void {
  const socket = connect(80, "127.0.0.1");
  socket.on("error", () => undefined);
  if (behaviour === "reads nothing") socket.pause();
  if (behaviour === "sends without end") {
    const send = (): void => {
      while (socket.write(WORDS));
    };
    socket.on("connect", send).on("drain", send);
  }
  if (behaviour === "comes again")
    socket
      .on("close", open)
      .on("connect", () => socket.write("hello"))
      .resume();
}

for (let index = 0; index < Number(count); index++) open();
setInterval(() => undefined, 60_000);
