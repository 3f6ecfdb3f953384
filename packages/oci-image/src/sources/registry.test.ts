import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, it } from "vitest";
import { RegistrySource } from "./registry.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const MANIFEST = JSON.stringify({ schemaVersion: 2 });
const digestOf = (content: string): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;
const servers: Server[] = [];

async function serve(answer: Answer): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

it("gets a token where the registry says, with the credentials, once", async () => {
  const asked: string[] = [];
  const host: string = await serve((request, response) => {
    const { authorization = "none" } = request.headers;
    asked.push(`${request.url ?? ""} ${authorization}`);
    if (request.url?.startsWith("/token") === true) response.end(JSON.stringify({ token: "t0ken" }));
    else if (authorization === "Bearer t0ken") response.end(MANIFEST);
    else {
      const challenge = `Bearer realm="http://${host}/token",service="here",scope="repository:app:pull"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
    }
  });
  const credentials = { username: "me", password: "secret" };
  const source = new RegistrySource(`${host}/app:1`, { credentials });
  expect(await source.roots()).toMatchObject([{ digest: digestOf(MANIFEST), size: MANIFEST.length }]);
  await source.blob({ digest: digestOf("x"), size: 1 }).then((stream) => text(stream));
  expect(asked).toEqual([
    "/v2/app/manifests/1 none",
    `/token?scope=repository%3Aapp%3Apull&service=here Basic ${Buffer.from("me:secret").toString("base64")}`,
    "/v2/app/manifests/1 Bearer t0ken",
    `/v2/app/blobs/${digestOf("x")} Bearer t0ken`,
  ]);
});

it("does not show its token to the storage that a registry sends it to", async () => {
  const seen: (string | undefined)[] = [];
  const storage = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.end("blob");
  });
  const host = await serve((request, response) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end();
    } else response.writeHead(307, { location: `http://${storage}/blob` }).end();
  });
  const source = new RegistrySource(`${host}/app`, { credentials: { username: "me", password: "secret" } });
  expect(await text(await source.blob({ digest: digestOf("blob"), size: 4 }))).toBe("blob");
  expect(seen).toEqual([undefined]);
});

it.each<[string, Answer, RegExp]>([
  [
    "wants credentials that the caller did not give",
    (_, response) => response.writeHead(401).end(),
    /wants credentials/,
  ],
  ["fails", (_, response) => response.writeHead(500).end(), /answers 500/],
  ["hangs up", (request) => request.destroy(), /KATA_IMAGE_REGISTRY|other side closed|hang up|closed/],
  ["never ends its manifest", (_, response) => void endless(response), /more than 4 MiB/],
  ["breaks off", (_, response) => void response.write("{", () => response.destroy()), /broke off/],
  ["names a token server that is no address", refuseWith('Bearer realm="//nowhere"'), /wants credentials/],
  ["names a token server that hangs up", tokensFrom((request) => request.destroy()), /closed|hang up/],
  ["has a token server that never ends", tokensFrom((_, response) => void endless(response)), /more than 4 MiB/],
  ["has a token server that talks", tokensFrom((_, response) => response.end("hello")), /gave no token/],
  ["has a token server with no token", tokensFrom((_, response) => response.end('{"token":7}')), /gave no token/],
])("names a registry that %s", async (_, answer, reason) => {
  const host = await serve(answer);
  const asking = new RegistrySource(`${host}/app`, { retry: { attempts: 1 } }).roots();
  await expect(asking).rejects.toMatchObject({ code: "KATA_IMAGE_REGISTRY" });
  await expect(asking).rejects.toThrow(reason);
});

function refuseWith(challenge: string): Answer {
  return (_, response) => response.writeHead(401, { "www-authenticate": challenge }).end();
}

/** The registry is the token server, too. */
function tokensFrom(answer: Answer): Answer {
  return (request, response) => {
    if (request.url?.startsWith("/token") === true) answer(request, response);
    else refuseWith(`Bearer realm="http://${request.headers.host ?? ""}/token"`)(request, response);
  };
}

async function endless(response: ServerResponse): Promise<void> {
  const chunk = Buffer.alloc(65_536, " ");
  const closed = once(response, "close");
  while (!response.destroyed) {
    if (!response.write(chunk)) await Promise.race([new Promise((resolve) => response.once("drain", resolve)), closed]);
  }
}

it("refuses another manifest than the digest that was asked for", async () => {
  const host = await serve((_, response) => response.end(MANIFEST));
  const asking = new RegistrySource(`${host}/app@${digestOf("another")}`).roots();
  await expect(asking).rejects.toMatchObject({ code: "KATA_IMAGE_DIGEST" });
});
