import { describe, expect, it } from "vitest";
import { manualPage } from "../output/manual.ts";
import { FRONT } from "./commands.ts";

/** The first that is loaded brings most of the runtime. */
const LOAD_MS = 60_000;

describe("kata's commands", () => {
  it.each(Object.entries(FRONT))(
    "%s explains itself, with every option it takes",
    async (name, { summary, load }) => {
      const { manual } = await load();
      const page = manualPage(name, summary, manual);
      for (const [option, { about, value, type }] of Object.entries(manual.options)) {
        expect(page).toContain(`--${option}`);
        expect(about).not.toBe("");
        expect(value !== undefined, option).toBe(type === "string");
      }
      for (const line of page.split("\n")) expect(line.length, line).toBeLessThanOrEqual(120);
    },
    LOAD_MS,
  );
});
