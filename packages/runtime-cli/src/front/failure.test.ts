import { expect, it } from "vitest";
import { failureOf } from "./failure.ts";

it.each<[unknown, number, string]>([
  [new Error('could not create container x: crun create: exec: "x": executable file not found in $PATH'), 127, "crun"],
  [new Error("crun create: the path `/x` exists but it is not executable: Operation not permitted"), 126, "crun"],
  [new Error("could not exec in container x: crun exec: open `/x`: no such file or directory"), 127, "crun"],
  [new Error("could not create container x: crun create: open executable: permission denied"), 126, "crun"],
  [new Error("/etc/x: permission denied"), 1, "/etc/x"],
  [Object.assign(new Error("why"), { hint: "do that" }), 1, "why (do that)"],
  ["SIGINT", 130, "given up: SIGINT"],
  ["SIGTERM", 143, "given up: SIGTERM"],
])("%s has the status %i", (error, status, message) => {
  expect(failureOf(error)).toMatchObject({ status, message: expect.stringContaining(message) as string });
});
