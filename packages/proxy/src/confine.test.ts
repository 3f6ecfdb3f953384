import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

/** Of no machine. */
const NOWHERE = "vsock://4242:1024";

/** A program that is confined as kata-proxy is, and then connects. @returns the code of the kernel's answer */
function dialConfined(overVsock: boolean): string {
  const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const text = `
    const { confine } = await import(${module("./confine.ts")});
    const { dial, inOwnMountNamespace } = await import("@kata-ts/linux");
    const fs = await import("node:fs");
    await fs.promises.stat("/"); // Threads of the pool are there.
    const answer = () => dial(${JSON.stringify(NOWHERE)}).then(() => "connected", (error) => error.errno ?? error.code);
    inOwnMountNamespace(() => undefined); // As for QEMU: from then on this thread has a root of its own.
    await answer(); // Before it is confined, as kata-proxy does.
    await confine({ user: 1_900_000_011, children: [], overVsock: ${String(overVsock)} });
    fs.writeSync(1, await answer());`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", text], {
    encoding: "utf8",
    cwd: import.meta.dirname,
  });
  expect(stderr).toBe("");
  return stdout;
}

describe("a kata-proxy that is confined", () => {
  it("still connects to its guest over the host's vsock", () => {
    expect(dialConfined(true)).toMatch(/^(ENODEV|ETIMEDOUT|ECONNRESET)$/);
  });

  it("makes no vsock socket where its guest is reached over a serial port", () => {
    expect(dialConfined(false)).toBe("EPERM");
  });

  it("connects to its guest's device by the one socket that it sees, and puts nothing in its place", async () => {
    const directory = mkdtempSync(join(tmpdir(), "confine-"));
    const [place, socket] = [join(directory, "vsock"), join(directory, "vsock/agent.sock")];
    mkdirSync(place, { mode: 0o711 });
    const server = createServer((connection) => connection.once("data", () => connection.end("OK 1\n")));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const text = `
      const { confine } = await import(${module("./confine.ts")});
      const { dial } = await import("@kata-ts/linux");
      const fs = await import("node:fs");
      await fs.promises.stat("/");
      const attempt = async (body) => { try { return await body() ?? "done"; } catch (error) { return error.code; } };
      const call = (path) => attempt(() => dial("hvsock://" + path + ":1024").then((it) => (it.destroy(), "connected")));
      const said = [await call(${JSON.stringify(socket)})];
      const place = { directory: ${JSON.stringify(place)}, socket: ${JSON.stringify(socket)} };
      await confine({ user: 1_900_000_011, children: [], overVsock: false, place });
      said.push(await call("/agent.sock"), await call(${JSON.stringify(socket)}));
      said.push(await attempt(() => fs.renameSync("/agent.sock", "/other")));
      said.push(await attempt(() => fs.symlinkSync("/anywhere", "/link")));
      fs.writeSync(1, said.join(" "));`;
    try {
      const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", text], {
        cwd: import.meta.dirname,
      });
      expect(stdout).toBe("connected connected ENOENT EACCES EACCES");
    } finally {
      server.close();
      rmSync(directory, { recursive: true });
    }
  });
});
