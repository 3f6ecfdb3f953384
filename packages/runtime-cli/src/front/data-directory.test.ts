import { resolve } from "node:path";
import { afterEach, expect, it } from "vitest";
import { bundlesDirectory } from "./data-directory.ts";

const given = process.env.KATA_TS_DATA;

afterEach(() => {
  if (given === undefined) delete process.env.KATA_TS_DATA;
  else process.env.KATA_TS_DATA = given;
});

it("is the same for a process in another working directory", () => {
  process.env.KATA_TS_DATA = "data";
  expect(bundlesDirectory()).toBe(resolve("data/bundles"));
  process.env.KATA_TS_DATA = "";
  expect(bundlesDirectory()).toBe("/var/lib/kata-ts/bundles");
});
