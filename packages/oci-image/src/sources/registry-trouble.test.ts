import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Answer, ownCertificate, Servers, sha256 } from "../../test/server.ts";
import { openImage } from "../image.ts";
import { RegistrySource } from "./registry.ts";

const retry = { attempts: 3, firstDelayMs: 1 };
const MANIFEST = JSON.stringify({ schemaVersion: 2 });
const BLOB = Buffer.alloc(300_000, createHash("sha512").update("x").digest());
const descriptor = { digest: sha256(BLOB), size: BLOB.length };

describe("a registry in trouble", () => {
  const servers = new Servers();
  const environment = { ...process.env };

  beforeEach(() => {
    process.env.DOCKER_CONFIG = "/nonexistent";
  });
  afterEach(async () => {
    process.env = { ...environment };
    await servers.close();
  });

  /** Answers in this order; the last for ever. @returns what was asked */
  async function inTurn(...answers: readonly Answer[]): Promise<{ host: string; asked: string[] }> {
    const asked: string[] = [];
    const host = await servers.serve((request, response) => {
      asked.push(`${request.url ?? ""} ${request.headers.range ?? ""}`.trim());
      answers[Math.min(asked.length, answers.length) - 1]?.(request, response);
    });
    return { host, asked };
  }

  const right: Answer = (_, response) => response.end(MANIFEST);
  const busy =
    (status: number, headers = {}): Answer =>
    (_, response) =>
      response
        .writeHead(status, headers)
        .end('{"errors":[{"code":"TOOMANYREQUESTS","message":"\\u001b[31mslow\\u202edown"}]}');

  it.each<[string, Answer]>([
    ["has had too many requests", busy(429, { "retry-after": "0" })],
    ["is not available", busy(503)],
    ["has a bad gateway", busy(502)],
    ["hangs up", (request) => request.destroy()],
    [
      "names a date to come back at",
      busy(429, { date: "Thu, 01 Jan 2026 00:00:00 GMT", "retry-after": "Thu, 01 Jan 2026 00:00:00 GMT" }),
    ],
  ])("that %s is asked again", async (_, trouble) => {
    const { host, asked } = await inTurn(trouble, trouble, right);
    expect(await new RegistrySource(`${host}/app`, { retry }).roots()).toMatchObject([{ digest: sha256(MANIFEST) }]);
    expect(asked).toHaveLength(3);
  });

  it("is given up in the end, with its own words, which steer nothing", async () => {
    const { host, asked } = await inTurn(busy(503));
    await expect(new RegistrySource(`${host}/app`, { retry }).roots()).rejects.toMatchObject({
      code: "KATA_IMAGE_REGISTRY",
      message: expect.stringMatching(/answers 503: TOOMANYREQUESTS: \\u001b\[31mslow\\u202edown$/) as string,
    });
    expect(asked).toHaveLength(3);
  });

  it("is not waited for longer than people would", async () => {
    const { host, asked } = await inTurn(busy(429, { "retry-after": "3600" }), right);
    await expect(new RegistrySource(`${host}/app`, { retry }).roots()).rejects.toThrow("asks to wait for 3600 s");
    expect(asked).toHaveLength(1);
  });

  it("is distinguished from one that refuses", async () => {
    const denied: Answer = (_, response) =>
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"not yours"}]}');
    const { host, asked } = await inTurn(denied);
    await expect(new RegistrySource(`${host}/app`, { retry }).roots()).rejects.toThrow(
      "answers 403: DENIED: not yours",
    );
    expect(asked).toHaveLength(1);
  });

  const breakAt = (response: ServerResponse, bytes: Buffer): void => {
    response.write(bytes, () => response.destroy());
  };
  it.each<[string, Answer]>([
    [
      "by range",
      (request, response) => {
        const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1]);
        response.writeHead(206, {
          "content-range": `bytes ${String(start)}-${String(BLOB.length - 1)}/${String(BLOB.length)}`,
        });
        response.end(BLOB.subarray(start));
      },
    ],
    ["from the beginning, where it knows no ranges", (_, response) => response.end(BLOB)],
  ])("goes on with a blob where it broke off, %s", async (_, rest) => {
    const { host, asked } = await inTurn((__, response) => {
      response.writeHead(200, { "content-length": BLOB.length });
      breakAt(response, BLOB.subarray(0, 100_000));
    }, rest);
    expect((await buffer(await new RegistrySource(`${host}/app`, { retry }).blob(descriptor))).equals(BLOB)).toBe(true);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatch(/ bytes=\d+-$/);
  });

  it("does not go on for ever with a blob that breaks off each time", async () => {
    const { host, asked } = await inTurn((_, response) => {
      breakAt(response, Buffer.alloc(10));
    });
    const blob = await new RegistrySource(`${host}/app`, { retry }).blob(descriptor);
    await expect(buffer(blob)).rejects.toMatchObject({ code: "KATA_IMAGE_REGISTRY" });
    expect(asked.length).toBeLessThanOrEqual(3);
  });

  it.each<[string, Answer]>([
    ["before its answer", () => undefined],
    [
      "in the middle of a blob",
      (_, response) => void response.writeHead(200, { "content-length": BLOB.length }).write("x"),
    ],
  ])("is not waited for where it stands still %s", async (_, stall) => {
    const { host, asked } = await inTurn(stall);
    const source = new RegistrySource(`${host}/app`, { retry: { ...retry, attempts: 2 }, stallMs: 50 });
    const reading = source.blob(descriptor).then((blob) => buffer(blob));
    await expect(reading).rejects.toMatchObject({
      code: "KATA_IMAGE_REGISTRY",
      message: expect.stringContaining("nothing has come for 0.05 s") as string,
    });
    expect(asked).toHaveLength(2);
  });

  it("ends at once when the caller gives up", async () => {
    const abort = new AbortController();
    const { host } = await inTurn(() => {
      abort.abort(new Error("enough"));
    });
    const directory = mkdtempSync(join(tmpdir(), "kata-registry-"));
    const opening = openImage({ registry: `${host}/app` }, { cacheDir: directory, signal: abort.signal });
    await expect(opening).rejects.toThrow("enough");
    rmSync(directory, { recursive: true });
  });

  it.each(["127.0.0.1:99999/x", "127.0.0.1:1/x", "nowhere.invalid/x"])("%s is one error of ours", async (name) => {
    const asking = async (): Promise<unknown> => new RegistrySource(name, { retry: { attempts: 1 } }).roots();
    await expect(asking()).rejects.toMatchObject({ name: "ImageError", code: "KATA_IMAGE_REGISTRY" });
  });

  it("is trusted by the caller's authorities, and leads to no place without TLS", async () => {
    const pair = ownCertificate();
    const plain = await servers.serve(right);
    const host = await servers.serve((request, response) => {
      if (request.url?.includes("/away/") === true) response.writeHead(302, { location: `http://${plain}/x` }).end();
      else right(request, response);
    }, pair);
    const options = { insecure: false, retry: { attempts: 1 } };
    await expect(new RegistrySource(`${host}/app`, options).roots()).rejects.toThrow(/self-signed certificate/);
    const trusting = { ...options, authorities: [pair.cert] };
    expect(await new RegistrySource(`${host}/app`, trusting).roots()).toMatchObject([{ digest: sha256(MANIFEST) }]);
    await expect(new RegistrySource(`${host}/away/app`, trusting).roots()).rejects.toThrow("leads from https to http:");
  });

  it("goes round in no circle", async () => {
    const { host, asked } = await inTurn((_, response) => response.writeHead(307, { location: "/again" }).end());
    await expect(new RegistrySource(`${host}/app`, { retry }).roots()).rejects.toThrow("too many redirects");
    expect(asked.length).toBeLessThan(10);
  });

  it("is reached through the environment's proxy, which the loopback is not", async () => {
    const { host: proxy, asked } = await inTurn(right);
    process.env.http_proxy = `http://${proxy}`;
    const source = new RegistrySource("registry.example/app", { insecure: true, retry });
    expect(await source.roots()).toMatchObject([{ digest: sha256(MANIFEST) }]);
    expect(asked).toEqual(["http://registry.example/v2/app/manifests/latest"]);
    const { host } = await inTurn(right);
    await new RegistrySource(`${host}/app`, { retry }).roots();
    expect(asked).toHaveLength(1);
  });

  it("need not be there for an image that is here", async () => {
    const config = JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } });
    const manifest = JSON.stringify({ config: { digest: sha256(config), size: config.length }, layers: [] });
    const asked: string[] = [];
    const host = await servers.serve((request, response) => {
      asked.push(request.url ?? "");
      response.end(request.url?.includes("/blobs/") === true ? config : manifest);
    });
    const cacheDir = mkdtempSync(join(tmpdir(), "kata-registry-"));
    const warnings: string[] = [];
    const platform = { os: "linux", architecture: "amd64" };
    const open = (name: string) =>
      openImage({ registry: name, retry }, { cacheDir, platform, warn: (text) => warnings.push(text) });
    await open(`${host}/app:1`);
    const before = asked.length;
    await open(`${host}/app@${sha256(manifest)}`);
    expect(asked).toHaveLength(before);
    await servers.close();
    expect((await open(`${host}/app:1`)).digest).toBe(sha256(manifest));
    expect(warnings).toEqual([
      expect.stringContaining("the registry cannot be reached, the image is the one of the last time"),
    ]);
    await expect(open(`${host}/app:2`)).rejects.toMatchObject({ code: "KATA_IMAGE_REGISTRY" });
    rmSync(cacheDir, { recursive: true });
  });
});
