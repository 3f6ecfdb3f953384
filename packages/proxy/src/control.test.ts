import { spawn } from "node:child_process";
import { on } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";

const MODULE = JSON.stringify(new URL("./control.ts", import.meta.url).href);

/** Tells its starter how the VM's start went, and prints what came back. */
const PROXY = `
  import { ControlPipe } from ${MODULE};
  const control = new ControlPipe(3);
  control.tell({ ok: true, pids: { qemu: 1 } });
  console.log("told");
  console.log((await control.committed()) ? "committed" : "abandoned");
`;

/** Starts a proxy. Until it is told to go on, it reads nothing at all. */
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

/** @returns what the proxy saw of a starter that goes on with this once the outcome was told */
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

describe("ControlPipe", () => {
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
