import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { postJson } from "./post-json.ts";
import { postJson as postJsonByNode } from "./post-json-by-node.ts";

describe.each([
  ["in this program", postJson],
  [
    "by Node",
    (...[url, body, deadlineMs]: Parameters<typeof postJson>) =>
      postJsonByNode(url, body, deadlineMs, process.execPath),
  ],
])("a document that is posted %s", (_how, post) => {
  let server: Server;
  let received: unknown;
  let status: number | undefined = 200;

  beforeEach(async () => {
    server = createServer((request, response) => {
      void json(request).then((body) => {
        received = { body, type: request.headers["content-type"], method: request.method, url: request.url };
        if (status !== undefined) response.writeHead(status).end();
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(() => {
    status = 200;
    server.closeAllConnections();
    server.close();
  });

  const at = (path: string): string => `http://localhost:${String((server.address() as AddressInfo).port)}${path}`;

  it("arrives as it is, at a host's name", async () => {
    expect(await post(at("/v1/traces"), JSON.stringify({ text: "häh" }), 2_000)).toBe(200);
    expect(received).toEqual({ body: { text: "häh" }, type: "application/json", method: "POST", url: "/v1/traces" });
  });

  it("has the answer's status, also where that is a refusal", async () => {
    status = 503;
    expect(await post(at("/"), "{}", 2_000)).toBe(503);
  });

  it("is given up where no answer comes", async () => {
    status = undefined;
    await expect(post(at("/"), "{}", 100)).rejects.toThrow(/timeout/);
  });

  it("fails where nothing listens, and says so", async () => {
    const url = at("/");
    server.close();
    await once(server, "close");
    await expect(post(url, "{}", 2_000)).rejects.toThrow(/ECONNREFUSED/);
  });
});

it("a document that is posted by a Node that is not there is given up", async () => {
  await expect(postJsonByNode("http://localhost:9/", "{}", 100, "/nonexistent/node")).rejects.toThrow(/ENOENT/);
});
