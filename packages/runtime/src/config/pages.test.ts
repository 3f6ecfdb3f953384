import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exampleFile, optionsTable } from "./pages.ts";

// `npm run generate` writes both.
describe("what is generated from the options", () => {
  it("is what docs/configuration.md shows", () => {
    expect(readFileSync(new URL("../../../../docs/configuration.md", import.meta.url), "utf8")).toContain(
      optionsTable(),
    );
  });

  it("is what is shipped as configuration.toml", () => {
    expect(readFileSync(new URL("../../configuration.toml", import.meta.url), "utf8")).toBe(exampleFile());
  });
});
