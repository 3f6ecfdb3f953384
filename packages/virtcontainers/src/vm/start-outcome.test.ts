import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { outcomeOf } from "./start-outcome.ts";

async function answered(text: string): Promise<unknown> {
  const directory = mkdtempSync(join(tmpdir(), "outcome-"));
  const server = createServer((peer: Socket) => peer.end(text));
  try {
    server.listen(join(directory, "control"));
    await once(server, "listening");
    const control = connect(join(directory, "control"));
    const outcome = await outcomeOf(control, 10_000);
    control.destroy();
    return outcome;
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
}

it("a proxy's answer is read, and its silence", async () => {
  expect(await answered('{"ok":true}\n')).toEqual({ ok: true });
  expect(await answered('{"ok":false,"code":"KATA_QMP","message":"no"}\n')).toMatchObject({ code: "KATA_QMP" });
  expect(await answered("")).toBeUndefined();
});

it.each(["{\n", "null\n", '{"ok":"yes"}\n', '{"ok":false}\n'])(
  "an answer that is none is a failed start: %j",
  async (text) => {
    expect(await answered(text)).toEqual({
      ok: false,
      code: "KATA_PROXY",
      message: expect.stringMatching(/^its answer cannot be used: /) as string,
    });
  },
);
