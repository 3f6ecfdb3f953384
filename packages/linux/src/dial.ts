import { connect, type Socket } from "node:net";

/**
 * Connects to where a URL leads, in the forms that Kata has: a unix socket (`unix:///path`), a port of a machine
 * (`vsock://CID:PORT`), or that port through the unix socket of a device in user space (`hvsock:///path:PORT`, as
 * Firecracker and vhost-device-vsock have it). What few calls use is loaded by these.
 *
 * @returns a half-open stream
 * @throws Error when nothing is there, or the guest does not listen; TypeError for a URL of another form
 */
export async function dial(url: string): Promise<Socket> {
  const { protocol, hostname, port, pathname } = new URL(url);
  if (protocol === "unix:") return dialUnix(pathname);
  if (protocol === "vsock:") {
    const address = { cid: numberOf(hostname, url), port: numberOf(port, url) };
    return (await import("./vsock.ts")).connectVsock(address);
  }
  const [, path, hybridPort] = /^(\/.+):(\d+)$/.exec(pathname) ?? [];
  if (protocol === "hvsock:" && path !== undefined) {
    const { askForPort } = await import("./hybrid-vsock.ts");
    return askForPort(await dialUnix(path), path, numberOf(hybridPort, url));
  }
  throw new TypeError(`${url}: expected unix:///path, vsock://CID:PORT or hvsock:///path:PORT`);
}

function numberOf(text: string | undefined, url: string): number {
  if (text === undefined || !/^\d{1,10}$/.test(text)) throw new TypeError(`${url}: no context id and port`);
  return Number(text);
}

function dialUnix(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
