import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startRedis } from "./redis.mjs";

let redis;

before(async () => {
  redis = await startRedis();
});
after(async () => {
  await redis?.stop();
});

test("a counter begins at one, and goes on", async () => {
  assert.equal(await redis.command("INCR", "visits"), "1");
  assert.equal(await redis.command("INCR", "visits"), "2");
});

test("a list keeps its order", async () => {
  await redis.command("RPUSH", "queue", "first", "second");
  assert.equal(await redis.command("LPOP", "queue"), "first");
});
