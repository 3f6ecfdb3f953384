import { spawnTied } from "@kata-ts/linux";
import { expect, it } from "vitest";
import { collectStderr, endAtPanic } from "./helper-output.ts";

it.each([
  ["of Rust before 1.92", "thread 'vring_worker' panicked at src/conn.rs:264:61:"],
  ["of later ones", "thread 'vring_worker' (4711) panicked at src/conn.rs:264:61:"],
])("a helper ends with a thread that panics, in the words %s", async (_which, words) => {
  const helper = spawnTied("/bin/sh", ["-c", 'echo "$0" >&2; exec sleep 100', words], ["ignore", "ignore", "pipe"]);
  const said = collectStderr([helper]);
  endAtPanic(helper);
  expect(await helper.exited).toEqual({ exitCode: null, signal: "SIGKILL" });
  expect(said.lines(1)).toEqual([words]);
});

it("a helper that only speaks of panics goes on", async () => {
  const helper = spawnTied("/bin/sh", ["-c", "echo 'no thread panicked at all' >&2"], ["ignore", "ignore", "pipe"]);
  endAtPanic(helper);
  expect(await helper.exited).toEqual({ exitCode: 0, signal: null });
});
