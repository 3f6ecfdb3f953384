import { join } from "node:path";
import { describe, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { SavableContainer } from "../harness/savable-container.ts";
import { consoleSocket, type Terminal } from "../harness/terminal.ts";

/** Busybox asks where the cursor is, after its prompt. */
const PROMPT = /[#$] (?:.\[(?:6n|J))*$/;

/** A number that the shell has in its memory alone. */
async function expectNumber(terminal: Terminal, expected: number): Promise<void> {
  terminal.type("echo n''is $n\r");
  await terminal.until(new RegExp(`\\r\\nnis ${String(expected)}\\r\\n`));
  await terminal.until(PROMPT);
}

async function expectSize(terminal: Terminal, size: string): Promise<void> {
  terminal.type("stty size\r");
  await terminal.until(new RegExp(`\\r\\n${size}\\r\\n`));
  await terminal.until(PROMPT);
}

describe("a shell on a terminal", () => {
  expectCleanHost();

  it("goes on with its input and its size: saved twice in a row, restored, saved again, and restored from that", async () => {
    await using container = await SavableContainer.create({ size: "64m", terminal: true });
    const { kata, images } = container;
    const first = kata.id();
    const socket = await consoleSocket(join(kata.directory, "first.sock"));
    await kata.create(first, container.bundle, ["--console-socket", socket.path]);
    using terminal = await socket.terminal;
    await kata.ok(["start", first]);
    await terminal.until(PROMPT);
    terminal.type("n=41\r");
    await terminal.until(PROMPT);
    terminal.resize({ rows: 50, columns: 132 });
    await expectSize(terminal, "50 132");
    for (const again of [42, 43]) {
      await kata.ok(["checkpoint", "--leave-running", "--image-path", images, first]);
      terminal.type(`n=$((n + 1))\r`);
      await terminal.until(PROMPT);
      await expectNumber(terminal, again);
    }
    await expectSize(terminal, "50 132");
    await kata.ok(["delete", "--force", first]);

    for (const [index, id] of [`${first}-second`, `${first}-third`].entries()) {
      const place = await consoleSocket(join(kata.directory, `${id}.sock`));
      await kata.ok([...container.restore(id), "--detach", "--console-socket", place.path]);
      using restored = await place.terminal;
      // Saved before the second of the numbers above was counted.
      await expectNumber(restored, 42 + index);
      await expectSize(restored, index === 0 ? "50 132" : "20 77");
      restored.resize({ rows: 20 + index, columns: 77 });
      await expectSize(restored, `${String(20 + index)} 77`);
      restored.type("sh -c \"echo u''p; exec sleep 1000\"\r");
      await restored.until(/\r\nup\r\n/);
      restored.type("\x03");
      await restored.until(PROMPT);
      restored.type("echo s''tatus $?\r");
      await restored.until(/\r\nstatus 130\r\n/);
      await restored.until(PROMPT);
      restored.type(`n=$((n + 1))\r`);
      await restored.until(PROMPT);
      if (index === 0) await kata.ok(["checkpoint", "--image-path", images, id]);
      else {
        restored.type("exit 5\r");
        await kata.until(id, "stopped");
        await kata.ok(["delete", id]);
      }
    }
  });
});
