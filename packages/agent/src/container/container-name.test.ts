import { expect, it } from "vitest";
import { nameFor } from "./container-name.ts";

it("a container is called what no other is, and by its id where it can be", () => {
  expect(nameFor("web", new Set())).toBe("web");
  expect(nameFor("web", new Set(["other"]))).toBe("web");
  expect(nameFor("web", new Set(["web"]))).toBe("web.1");
  expect(nameFor("web", new Set(["web", "web.1"]))).toBe("web.2");
  expect(nameFor("w".repeat(255), new Set(["w".repeat(255)]))).toBe(`${"w".repeat(200)}.1`);
});
