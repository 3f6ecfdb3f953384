import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeForAdministrators } from "./setting-names.ts";

const LIBRARY = join(import.meta.dirname, "..", "..", "..", "virtcontainers", "src");

it.each([
  ["name one that is there: vm.kernelPath", "why (name one that is there: kernel in configuration.toml)"],
  [
    "raise vm.memoryMiB, or choose another vm.machine.type",
    "why (raise default_memory, or choose another machine_type in configuration.toml)",
  ],
  ["pass a vm.somethingElse", "why (pass a vm.somethingElse)"],
  ["run it as root", "why (run it as root)"],
  [undefined, "why"],
])("writes the hint %j as an administrator knows it", (hint, expected) => {
  expect(describeForAdministrators("why", hint)).toBe(expected);
});

it("knows each option that a hint of the library names, and no hint there names the file", () => {
  const sources = globSync("{container,host,network,sandbox,vm,vmm-qemu}/**/*.ts", { cwd: LIBRARY })
    .filter((file) => !file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(LIBRARY, file), "utf8"));
  const texts = sources.flatMap((source) => source.match(/(["`])(?:(?!\1)[^\\\n])*\1/g) ?? []);
  const named = texts.flatMap((text) => text.match(/(?<!\$\{)\bvm(?:\.[A-Za-z]+)+/g) ?? []);
  const hints = named.filter((name) => !/\.(ts|json|sock)$/.test(name));
  expect(hints).toContain("vm.rootPorts");
  for (const name of hints) expect(describeForAdministrators("", name), name).toContain(" in configuration.toml");
  expect(texts.filter((text) => text.includes("configuration.toml"))).toEqual([]);
});
