import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Servers } from "../../test/server.ts";
import { parseChallenges } from "./challenge.ts";
import { dockerCredentials } from "./docker-config.ts";
import { RegistrySource } from "./registry.ts";

const base64 = (plain: string): string => Buffer.from(plain).toString("base64");

describe("a challenge, as RFC 7235 has it", () => {
  const parsed = (header: string): unknown =>
    parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

  it.each<[string, unknown]>([
    ["Basic", [["basic", {}]]],
    ['basic realm="a, b"', [["basic", { realm: "a, b" }]]],
    ['BEARER Realm="https://t/x",service=here', [["bearer", { realm: "https://t/x", service: "here" }]]],
    ['Bearer realm = "x" , scope="a:b:pull,push"', [["bearer", { realm: "x", scope: "a:b:pull,push" }]]],
    ['Basic realm="say \\"hi\\""', [["basic", { realm: 'say "hi"' }]]],
    [
      'Negotiate dG9rZW4=, Bearer realm="https://t",, Basic realm=simple',
      [
        ["negotiate", {}],
        ["bearer", { realm: "https://t" }],
        ["basic", { realm: "simple" }],
      ],
    ],
    ['Basic realm="never ends', [["basic", {}]]],
    ["", []],
    [", ,", []],
  ])("%j", (header, wanted) => {
    expect(parsed(header)).toEqual(wanted);
  });

  it("takes little time, whatever it is", () => {
    for (const header of ['a="'.repeat(5000), "a ".repeat(8000), ",".repeat(100_000), 'B r="\\'.repeat(4000)]) {
      expect(parseChallenges(header).length).toBeLessThan(20_000);
    }
  });
});

describe("credentials of a registry", () => {
  let directory = "";
  const servers = new Servers();
  const environment = { ...process.env };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-docker-config-"));
    process.env.PATH = `${directory}:${process.env.PATH ?? ""}`;
  });
  afterEach(async () => {
    process.env = { ...environment };
    rmSync(directory, { recursive: true });
    await servers.close();
  });

  const config = (content: unknown): void => {
    writeFileSync(join(directory, "config.json"), typeof content === "string" ? content : JSON.stringify(content));
  };
  const helper = (name: string, script: string): void => {
    writeFileSync(join(directory, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };
  const known = (host: string): Promise<unknown> => dockerCredentials(host, { directory });

  it("are those of docker login", async () => {
    expect(await known("ghcr.io")).toBeUndefined();
    config({
      auths: {
        "ghcr.io": { auth: base64("me:se:cret") },
        "https://own.example:5000/v2/": { auth: base64("you:x") },
        "https://index.docker.io/v1/": { username: "hub", password: "p" },
        "token.example": { identitytoken: "refresh" },
        "empty.example": {},
      },
    });
    expect(await known("ghcr.io")).toEqual({ username: "me", password: "se:cret" });
    expect(await known("own.example:5000")).toEqual({ username: "you", password: "x" });
    expect(await known("registry-1.docker.io")).toEqual({ username: "hub", password: "p" });
    expect(await known("token.example")).toEqual({ identityToken: "refresh" });
    expect(await known("empty.example")).toBeUndefined();
    expect(await known("other.example")).toBeUndefined();
  });

  it("come from a helper, which may know nothing", async () => {
    helper("own", `read host || true; [ "$1" = get ] && printf '{"Username":"me","Secret":"of %s"}' "$host"`);
    helper("none", "echo credentials not found in native keychain; exit 1");
    helper("token", `cat >/dev/null; echo '{"Username":"<token>","Secret":"refresh"}'`);
    config({
      credsStore: "none",
      credHelpers: { "a.example": "own", "b.example": "token" },
      auths: { "c.example": { auth: base64("file:x") } },
    });
    expect(await known("a.example")).toEqual({ username: "me", password: "of a.example" });
    expect(await known("b.example")).toEqual({ identityToken: "refresh" });
    expect(await known("c.example")).toEqual({ username: "file", password: "x" });
    expect(await known("d.example")).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ["a file that is no JSON", "{"],
    ["a file of another shape", { auths: [1] }],
    ["a helper that is not there", { credsStore: "missing" }],
    ["a helper that fails", { credsStore: "fails" }],
    ["a helper that talks", { credsStore: "talks" }],
    ["a helper by path", { credsStore: "../x" }],
  ])("are an error of ours for %s", async (_, content) => {
    helper("fails", "echo no keyring >&2; exit 3");
    helper("talks", "echo hello");
    config(content);
    await expect(known("x.example")).rejects.toMatchObject({ code: "KATA_IMAGE_REGISTRY" });
  });

  it("are shown to the registry, an identity token to its token server", async () => {
    const seen: string[] = [];
    const host: string = await servers.serve((request, response) => {
      const { authorization = "none" } = request.headers;
      if (request.url === "/token") {
        void text(request).then((form) => {
          seen.push(`${request.method ?? ""} ${form}`);
          response.end('{"access_token":"t0ken"}');
        });
        return;
      }
      seen.push(authorization);
      if (authorization === "Bearer t0ken") response.end("{}");
      else
        response.writeHead(401, { "www-authenticate": `Basic realm="x", Bearer realm="http://${host}/token"` }).end();
    });
    config({ auths: { [host]: { identitytoken: "refresh" } } });
    await new RegistrySource(`${host}/app`, { dockerConfig: directory }).roots();
    const form = "grant_type=refresh_token&refresh_token=refresh&client_id=kata-ts&scope=repository%3Aapp%3Apull";
    expect(seen).toEqual(["none", `POST ${form}`, "Bearer t0ken"]);
  });
});
