import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export function sha256(content: string | Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** Servers of a test, on the loopback. */
export class Servers {
  readonly #servers: Server[] = [];

  /** @returns host and port */
  async serve(answer: Answer, tls?: { readonly key: string; readonly cert: string }): Promise<string> {
    const server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
    server.listen(0, "127.0.0.1");
    this.#servers.push(server);
    await once(server, "listening");
    return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }

  async close(): Promise<void> {
    for (const server of this.#servers.splice(0)) {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    }
  }
}

/** A certificate for the loopback that no trusted authority has signed. */
export function ownCertificate(): { readonly key: string; readonly cert: string } {
  const directory = mkdtempSync(join(tmpdir(), "kata-certificate-"));
  const [key, cert] = [join(directory, "key"), join(directory, "cert")];
  const names = ["-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...made, "-keyout", key, "-out", cert, ...names], { stdio: "ignore" });
  const pair = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  rmSync(directory, { recursive: true });
  return pair;
}
