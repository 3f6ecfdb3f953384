import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { COMMIT } from "./control.ts";
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

async function answerTo(socket: Socket): Promise<unknown> {
  const [line] = (await once(socket, "data")) as [Buffer];
  return JSON.parse(line.toString());
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
