import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../harness/paths.ts";

it("every relative link of the documentation leads somewhere", () => {
  const pages = ["*.md", "docs/**/*.md", "packages/*/*.md"].flatMap((pattern) => globSync(pattern, { cwd: ROOT }));
  expect(pages.length).toBeGreaterThan(20);
  const broken = pages.flatMap((page) => {
    const links = [...readFileSync(join(ROOT, page), "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
      ([, link = ""]) => link,
    );
    return links.filter((link) => !existsSync(join(ROOT, dirname(page), link))).map((link) => `${page}: ${link}`);
  });
  expect(broken).toEqual([]);
});
