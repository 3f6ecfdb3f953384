// A client of the streams that a CRI server gives to kubectl exec, attach and port-forward, over WebSockets. Its
// standard input is channel 0 of the stream; channels 1 and 2 are its output, and 3 tells how the command ended.
const [url, mode] = process.argv.slice(2);
const portForward = mode === "port-forward";
const socket = new WebSocket(url.replace(/^http/, "ws"), ["v4.channel.k8s.io"]);
socket.binaryType = "arraybuffer";

const heads = new Set();
socket.onmessage = ({ data }) => {
  const bytes = Buffer.from(data);
  const [channel = 0] = bytes;
  const body = bytes.subarray(1);
  if (portForward && !heads.has(channel)) {
    heads.add(channel); // the port's number, once for each channel
    return;
  }
  const output = [process.stdout, process.stderr][portForward ? channel : channel - 1];
  if (output !== undefined) output.write(body);
  else if (channel === 3) process.stderr.write(`\n${body}\n`);
};
socket.onopen = async () => {
  for await (const chunk of process.stdin) socket.send(Buffer.concat([Buffer.of(0), chunk]));
};
socket.onerror = ({ message }) => process.stderr.write(`${message ?? "the stream failed"}\n`);
socket.onclose = () => process.exit(0);
