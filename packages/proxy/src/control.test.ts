import { spawn } from "node:child_process";
import { on, once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMIT, StarterPipe } from "./control.ts";

const MODULE = JSON.stringify(new URL("./control.ts", import.meta.url).href);

/** Tells its starter how the VM's start went, and prints what came back. */
const PROXY = `
  import { StarterPipe } from ${MODULE};
  const control = new StarterPipe(3);
  control.tell({ ok: true });
  console.log("told");
  console.log((await control.committed()) ? "committed" : "abandoned");
`;

/** Starts a proxy. Until the test sends a byte, it reads nothing at all. */
const starter = (then: string): string => `
  import { spawn } from "node:child_process";
  import { readSync } from "node:fs";
  const proxy = spawn(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(PROXY)}], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  readSync(0, Buffer.alloc(1));
  const control = proxy.stdio[3];
  ${then}
`;

/** @returns what the proxy saw of a starter that runs `then` once the proxy has written the outcome */
async function proxyOf(then: string): Promise<string> {
  const process = spawn(globalThis.process.execPath, ["--input-type=module", "-e", starter(then)], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const complaints = text(process.stderr);
  let seen = "";
  for await (const [chunk] of on(process.stdout, "data", { close: ["end"] })) {
    seen += String(chunk);
    if (seen === "told\n") process.stdin.end("x");
  }
  return `${seen}${await complaints}`;
}

describe("StarterPipe", () => {
  it("takes the starter's commit", async () => {
    expect(await proxyOf(`control.end("commit\\n"); control.resume();`)).toBe("told\ncommitted\n");
  });

  it("takes the starter's end as the opposite", async () => {
    expect(await proxyOf(`control.once("data", () => control.destroy());`)).toBe("told\nabandoned\n");
  });

  // The kernel then answers a read with ECONNRESET.
  it("takes a starter's end so, too, that was killed before it had read the outcome", async () => {
    expect(await proxyOf(`process.kill(process.pid, "SIGKILL");`)).toBe("told\nabandoned\n");
  });
});

describe("the socket of a VM that waits to be taken", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "take-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  async function taken(): Promise<{ taker: Socket; control: StarterPipe }> {
    const path = join(directory, "take.sock");
    const accepted = StarterPipe.accept(path);
    const taker = connect(path);
    return { taker, control: await accepted };
  }

  it("is removed with the first taker, which sends its surroundings and then commits", async () => {
    const { taker, control } = await taken();
    expect(existsSync(join(directory, "take.sock"))).toBe(false);
    const surroundings = control.surroundings();
    taker.write('{"networkNamespace":"/run/netns/pod"');
    await new Promise(setImmediate);
    taker.write(',"forwardLoopback":true}\n');
    expect(await surroundings).toEqual({ networkNamespace: "/run/netns/pod", forwardLoopback: true });
    control.tell({ ok: true });
    expect(String((await once(taker, "data"))[0])).toBe('{"ok":true}\n');
    taker.end(COMMIT);
    expect(await control.committed()).toBe(true);
  });

  it("has no taker where that goes away before or after its surroundings", async () => {
    const early = await taken();
    early.taker.end("{");
    expect(await early.control.surroundings()).toBeUndefined();

    const late = await taken();
    late.taker.end("{}\n");
    expect(await late.control.surroundings()).toEqual({});
    expect(await late.control.committed()).toBe(false);
  });

  it.each(["GET / HTTP/1.0", "null", "[]", '{"networkNamespace":7}', '{"oomFiles":"/a"}'])(
    "takes a taker as gone that sends %s",
    async (line) => {
      const { taker, control } = await taken();
      taker.end(`${line}\n`);
      expect(await control.surroundings()).toBeUndefined();
    },
  );
});
