import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { COMMIT, TAKE } from "./control.ts";
import { OwnerDoor } from "./owner-door.ts";

let directory = "";
let path = "";
let door: OwnerDoor;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "door-"));
  path = join(directory, "owner.sock");
  door = await OwnerDoor.open(path);
});

afterEach(() => {
  door.close();
  rmSync(directory, { recursive: true });
});

/** As one that is there to take the VM when it is offered. */
async function answerTo(socket: Socket): Promise<unknown> {
  const [line] = (await once(socket, "data")) as [Buffer];
  const answer = JSON.parse(line.toString()) as { readonly ok: boolean };
  if (answer.ok) socket.write(TAKE);
  return answer;
}

it("refuses all while the VM belongs to its starter, and lets them go", async () => {
  const socket = connect(path);
  expect(JSON.parse(await text(socket))).toEqual({
    ok: false,
    code: "KATA_STATE",
    message: "the VM belongs to another process",
  });
});

it("gives the VM to exactly one of those that ask at once", async () => {
  const next = door.next();
  const askers = [1, 2, 3, 4].map(() => connect(path));
  const answers = await Promise.all(askers.map(answerTo));
  expect(answers.filter((answer) => (answer as { ok: boolean }).ok)).toHaveLength(1);
  const winner = askers[answers.findIndex((answer) => (answer as { ok: boolean }).ok)];
  winner?.end(COMMIT);
  expect(await (await next).committed()).toBe(true);
});

it("sees an owner that dies, and gives a VM that was let go to the next", async () => {
  let next = door.next();
  const first = connect(path);
  expect(await answerTo(first)).toEqual({ ok: true });
  first.end(COMMIT);
  expect(await (await next).committed()).toBe(true);
  next = door.next();
  const second = connect(path);
  expect(await answerTo(second)).toEqual({ ok: true });
  second.destroy();
  expect(await (await next).committed()).toBe(false);
});

it("does not take a VM for owned, and lost, where one asked for it that has gone before it was answered", async () => {
  const next = door.next();
  const gone = [1, 2].map(() => connect(path));
  await Promise.all(gone.map((socket) => once(socket, "connect")));
  for (const socket of gone) socket.destroy();
  const socket = connect(path);
  expect(await answerTo(socket)).toEqual({ ok: true });
  socket.end(COMMIT);
  expect(await (await next).committed()).toBe(true);
});

it("keeps a VM from none that is not taken after all, and hears a commit that comes with the taking", async () => {
  const next = door.next();
  const first = connect(path);
  await once(first, "data");
  const second = connect(path);
  await once(second, "connect");
  first.destroy();
  expect(await answerTo(second)).toEqual({ ok: true });
  second.end(COMMIT);
  expect(await (await next).committed()).toBe(true);
});
