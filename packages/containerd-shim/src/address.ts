import { createHash } from "node:crypto";
import { connect } from "node:net";
import { join } from "node:path";

const SOCKETS = "/run/containerd/s";
const SCHEME = "unix://";
const CONNECT_DEADLINE_MS = 1_000;

/**
 * Where the process of a pod is reached. As containerd's own shims, by a digest: a socket's name may have 107 bytes.
 *
 * @param address of containerd; two of them may have pods of the same name
 */
export function socketPath(address: string, namespace: string, group: string): string {
  const digest = createHash("sha256")
    .update(join(address, namespace, group))
    .digest("hex");
  return join(SOCKETS, digest);
}

/** As containerd reads it. */
export function addressOf(path: string): string {
  return `${SCHEME}${path}`;
}

/** The path in an address; undefined for an address that is not a unix socket's. */
export function pathOf(address: string): string | undefined {
  return address.startsWith(SCHEME) ? address.slice(SCHEME.length) : undefined;
}

/** Whether a process listens there. */
export function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (served: boolean): void => {
      socket.destroy();
      resolve(served);
    };
    socket.setTimeout(CONNECT_DEADLINE_MS);
    socket.once("connect", () => {
      answer(true);
    });
    socket.once("error", () => {
      answer(false);
    });
    socket.once("timeout", () => {
      answer(false);
    });
  });
}
