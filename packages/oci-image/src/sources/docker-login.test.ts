import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Servers } from "../../test/server.ts";
import { dockerCredentials } from "./docker-config.ts";
import { logIn, logOut } from "./docker-login.ts";

const RIGHT = { username: "me", password: "se:cret" };

describe("a login", () => {
  let directory = "";
  let host = "";
  const servers = new Servers();
  const environment = { ...process.env };
  const file = (): string => join(directory, "docker", "config.json");
  const options = () => ({ dockerConfig: join(directory, "docker") });

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "kata-login-"));
    process.env.PATH = `${directory}:${process.env.PATH ?? ""}`;
    host = await servers.serve((request, response) => {
      const wanted = `Basic ${Buffer.from("me:se:cret").toString("base64")}`;
      if (request.url === "/v2/" && request.headers.authorization === wanted) response.end("{}");
      else response.writeHead(401, { "www-authenticate": 'Basic realm="here"' }).end();
    });
  });
  afterEach(async () => {
    process.env = { ...environment };
    rmSync(directory, { recursive: true });
    await servers.close();
  });

  const config = (content: object): void => {
    rmSync(join(directory, "docker"), { recursive: true, force: true });
    const made = join(directory, "docker");
    expect(existsSync(made)).toBe(false);
    // As a user's own directory: not made by us.
    mkdirSync(made);
    writeFileSync(file(), JSON.stringify(content), { mode: 0o644 });
  };

  it("is kept where the registry takes it, for its owner alone, beside what the file has", async () => {
    expect(await logIn(host, RIGHT, options())).toEqual({ file: file() });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(await dockerCredentials(host, { directory: options().dockerConfig })).toEqual(RIGHT);
    config({ auths: { "other.example": { auth: "eDp5" } }, psFormat: "table" });
    await logIn(host, RIGHT, options());
    expect(JSON.parse(readFileSync(file(), "utf8"))).toMatchObject({
      auths: { "other.example": { auth: "eDp5" }, [host]: {} },
      psFormat: "table",
    });
    expect(readdirSync(options().dockerConfig)).toEqual(["config.json"]);
    expect(await logOut(host, options())).toBe(true);
    expect(await logOut(host, options())).toBe(false);
    expect(JSON.parse(readFileSync(file(), "utf8"))).toEqual({
      auths: { "other.example": { auth: "eDp5" } },
      psFormat: "table",
    });
  });

  it("leaves the file to the user whose it is", async () => {
    config({});
    chownSync(file(), 70, 71);
    await logIn(host, RIGHT, options());
    expect(statSync(file())).toMatchObject({ uid: 70, gid: 71 });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it("is forgotten under every key that the file has it under", async () => {
    config({ auths: { [`https://${host}/v1/`]: { auth: "bWU6b2xk" }, [host]: { auth: "bWU6b2xk" } } });
    await logIn(host, RIGHT, options());
    expect(await dockerCredentials(host, { directory: options().dockerConfig })).toEqual(RIGHT);
    expect(await logOut(host, options())).toBe(true);
    expect(await dockerCredentials(host, { directory: options().dockerConfig })).toBeUndefined();
  });

  it("is not kept where the registry does not take it", async () => {
    await expect(logIn(host, { username: "me", password: "wrong" }, options())).rejects.toMatchObject({
      code: "KATA_IMAGE_REGISTRY",
      message: expect.stringContaining("does not take the credentials") as string,
    });
    expect(existsSync(file())).toBe(false);
  });

  it("is a helper's where the file names one", async () => {
    const helper = `#!/bin/sh\necho "$1 $(cat)" >> ${directory}/calls\n`;
    writeFileSync(join(directory, "docker-credential-own"), helper, { mode: 0o755 });
    config({ credsStore: "own" });
    expect(await logIn(host, RIGHT, options())).toEqual({ helper: "own" });
    expect(await logOut(host, options())).toBe(true);
    expect(readFileSync(join(directory, "calls"), "utf8").split("\n")).toEqual([
      `store {"ServerURL":"${host}","Username":"me","Secret":"se:cret"}`,
      `erase ${host}`,
      "",
    ]);
    expect(readFileSync(file(), "utf8")).toBe('{"credsStore":"own"}');
  });
});
