import { expect, it } from "vitest";
import { ownCommand, programArguments } from "./arguments.ts";

it("takes the launcher's mark off, and nothing else", () => {
  const argv = ["node", "program", "@--experimental-x=1", "@@--experimental-y", "@x", "--env-file=z", "@", ""];
  expect(programArguments(argv)).toEqual(["--experimental-x=1", "@--experimental-y", "@x", "--env-file=z", "@", ""]);
});

it("takes nothing off where the program is in the engine's own file, which has no launcher", () => {
  const argv = ["/libexec/program", "/libexec/program", "@--experimental-x"];
  expect(programArguments(argv, "/libexec/program")).toEqual(["@--experimental-x"]);
});

it("starts a program again by its engine and script, or by its one file", () => {
  expect(ownCommand(["node", "program.mjs", "-x"], "/usr/bin/node")).toEqual([
    "/usr/bin/node",
    ...process.execArgv,
    "--",
    "program.mjs",
  ]);
  expect(ownCommand(["/libexec/program", "/libexec/program", "-x"], "/libexec/program")).toEqual(["/libexec/program"]);
});
