import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const PROGRAM = join(import.meta.dirname, "bin.ts");

describe("kata-proxy -vm", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "proxy-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  async function outcomeFor(specFile: string): Promise<unknown> {
    const proxy = spawn(process.execPath, [PROGRAM, "-vm", specFile, "-control-fd", "3"], {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    return JSON.parse(await text(proxy.stdio[3] as Readable));
  }

  it.each([
    ["cut off", '{"dir":"/run/vm'],
    ["without a machine", '{"dir":"/run/vm","sharedDir":"/run/vm/shared","proxySocket":"/run/vm/proxy.sock"}'],
  ])("tells its starter why it starts no VM by a description that is damaged: %s", async (_what, content) => {
    const file = join(directory, "spec.json");
    writeFileSync(file, content);
    expect(await outcomeFor(file)).toEqual({
      ok: false,
      code: "KATA_PROXY",
      message: expect.stringContaining(`${file} cannot be used: `) as string,
    });
  });

  it("refuses a machine of a monitor that it has no launcher of, before anything is made", async () => {
    const file = join(directory, "spec.json");
    const machine = { monitor: "toString", config: {}, files: { monitor: "", kernel: "", image: "" } };
    writeFileSync(file, JSON.stringify({ dir: directory, sharedDir: "/none", proxySocket: "/none", machine }));
    expect(await outcomeFor(file)).toMatchObject({
      ok: false,
      message: "this kata-proxy cannot start machines of toString",
    });
    expect(readdirSync(directory)).toEqual(["spec.json"]);
  });

  it("tells its starter that there is no description", async () => {
    expect(await outcomeFor(join(directory, "missing"))).toMatchObject({ ok: false, code: "KATA_PROXY" });
  });
});
