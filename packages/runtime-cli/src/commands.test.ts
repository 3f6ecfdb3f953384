import { describe, expect, it } from "vitest";
import { GLOBAL_OPTIONS } from "./arguments/globals.ts";
import { COMMANDS, findCommand } from "./commands.ts";
import { manualPage } from "./output/manual.ts";
import { usage } from "./output/usage.ts";

const VERBS = Object.entries(COMMANDS);

describe("commands", () => {
  it.each(VERBS)("%s explains itself, with every option it takes", async (name, { summary, load }) => {
    const { manual } = await load();
    const page = manualPage(name, summary, manual);
    expect(page).toContain(summary);
    for (const [option, { about, value }] of Object.entries(manual.options)) {
      expect(page).toContain(`--${option}`);
      expect(about).not.toBe("");
      // What takes something says what.
      expect(value !== undefined, option).toBe(manual.options[option]?.type === "string");
    }
    for (const line of page.split("\n")) expect(line.length, line).toBeLessThanOrEqual(120);
  });

  it("are found by Kata's names too, and by nothing that an object has by itself", () => {
    expect(findCommand("kata-check")?.name).toBe("check");
    expect(findCommand("kata-env")?.name).toBe("env");
    expect(findCommand("constructor")).toBeUndefined();
    expect(findCommand("undefined")).toBeUndefined();
  });

  it("are all in the help of the whole", () => {
    const page = usage(Object.fromEntries(VERBS.map(([name, { summary }]) => [name, summary])), GLOBAL_OPTIONS);
    for (const [name] of VERBS) expect(page).toMatch(new RegExp(`^ {2}${name} +\\S`, "m"));
    for (const name of Object.keys(GLOBAL_OPTIONS)) expect(page).toContain(`--${name}`);
  });
});
