import { dirname, join } from "node:path";
import { grpc } from "@kata-ts/agent-protocol";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { type Lie, LyingAgent } from "../harness/lying-agent.ts";
import { RUNTIME } from "../harness/paths.ts";
import { onTerminal } from "../harness/terminal.ts";

const SHIM = join(dirname(RUNTIME), "..", "libexec", "kata-ts", "kata-shim");
const OUT_OF_RANGE = 11;

/** A process of the original's agent: one line, then the end, and a status. */
function oneLine(line: string, status: number): Readonly<Record<string, Lie>> {
  let isRead = false;
  return {
    readStdout: () => {
      if (isRead) return Promise.reject(Object.assign(new Error("EOF"), { code: OUT_OF_RANGE, details: "EOF" }));
      isRead = true;
      return Buffer.from(grpc.ReadStreamResponse.encode({ data: Buffer.from(line) }).finish());
    },
    readStderr: () => Promise.reject(Object.assign(new Error("EOF"), { code: OUT_OF_RANGE, details: "EOF" })),
    waitProcess: () => Buffer.from(grpc.WaitProcessResponse.encode({ status }).finish()),
    ttyWinResize: () => Buffer.alloc(0),
    writeStdin: () => Buffer.alloc(0),
    closeStdin: () => Buffer.alloc(0),
  };
}

describe("our shim under the original's runtime, which gives it an agent and a terminal", () => {
  expectCleanHost();

  it("passes the guest's lines on as they are, and leaves the terminal as it was", async () => {
    await using kata = new Kata();
    await using agent = await LyingAgent.start(kata, oneLine("from the guest\r\n", 7));
    const url = `unix://${join(kata.directory, "proxy.sock")}`;
    const shim = [SHIM, "-agent", url, "-container", agent.id, "-exec-id", "x", "-terminal", "-log", "warn"].join(" ");
    const script = `stty -a | grep -oE -e '-?opost'; ${shim}; echo "status $?"; stty -a | grep -oE -e '-?opost'`;
    const { terminal, exited } = onTerminal("sh", ["-c", script], { rows: 24, columns: 80 });
    expect(await exited).toBe(0);
    await terminal.end();
    expect(terminal.text.split("\n")).toEqual(["opost\r", "from the guest\r", "status 7\r", "opost\r", ""]);
  });
});
