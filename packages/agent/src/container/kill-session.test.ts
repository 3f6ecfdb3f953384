import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { killSession, membersOf } from "./kill-session.ts";

it("finds the session and all descendants, and no other process", () => {
  const all = [
    { pid: 1, parent: 0, session: 1 },
    { pid: 10, parent: 1, session: 10 },
    { pid: 11, parent: 10, session: 10 },
    { pid: 12, parent: 1, session: 10 }, // its parent has ended
    { pid: 13, parent: 12, session: 13 }, // in a session of its own
    { pid: 20, parent: 1, session: 20 },
  ];
  expect(membersOf(10, all).sort()).toEqual([10, 11, 12, 13]);
});

it("ends a process with what it has left behind", async () => {
  const script = "(sleep 1000 & echo $!); setsid sleep 1000 & echo $!; exec sleep 1000";
  const child = spawn("sh", ["-c", script], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  await lines.next();
  const [ended, closed] = [once(child, "exit"), once(child, "close")];
  killSession(child.pid ?? 0);
  expect(await ended).toEqual([null, "SIGKILL"]);
  await closed; // No process holds its output open any more.
});
