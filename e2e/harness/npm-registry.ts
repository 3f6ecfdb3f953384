import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { runServer } from "verdaccio";

/** A registry of npm's protocol on a port of the loopback. It has this project's packages only, and asks no other. */
export class NpmRegistry implements AsyncDisposable {
  readonly url: string;
  /** For npm, so that it may publish. */
  readonly env: Readonly<Record<string, string>>;
  readonly #server: Server;

  private constructor(url: string, env: Readonly<Record<string, string>>, server: Server) {
    this.url = url;
    this.env = env;
    this.#server = server;
  }

  /** @param directory for what is published */
  static async start(directory: string): Promise<NpmRegistry> {
    const storage = join(directory, "registry");
    mkdirSync(storage);
    const configuration = {
      configPath: join(storage, "config.yaml"),
      self_path: storage,
      storage,
      auth: { htpasswd: { file: join(storage, "htpasswd") } },
      packages: { "@kata-ts/*": { access: "$all", publish: "$authenticated" } },
      web: { enable: false },
      max_body_size: "64mb",
      log: { type: "file", path: join(storage, "log"), level: "warn" },
    };
    // Its types name fields that it has defaults for.
    const server = (await runServer(configuration)) as Server;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const userconfig = join(directory, "publisher.npmrc");
    writeFileSync(userconfig, `//${host}/:_authToken=${await signUp(host)}\n`);
    return new NpmRegistry(`http://${host}/`, { npm_config_userconfig: userconfig }, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/** As `npm adduser` does. @returns a token */
async function signUp(host: string): Promise<string> {
  const answer = await fetch(`http://${host}/-/user/org.couchdb.user:publisher`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "publisher", password: "only of this registry" }),
  });
  const { token } = (await answer.json()) as { readonly token?: string };
  if (token === undefined) throw new Error(`the registry gives no token: ${String(answer.status)}`);
  return token;
}
