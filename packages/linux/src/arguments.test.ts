import { expect, it } from "vitest";
import { programArguments } from "./arguments.ts";

it("takes the launcher's mark off, and nothing else", () => {
  const argv = ["node", "program", "@--experimental-x=1", "@@--experimental-y", "@x", "--env-file=z", "@", ""];
  expect(programArguments(argv)).toEqual(["--experimental-x=1", "@--experimental-y", "@x", "--env-file=z", "@", ""]);
});
