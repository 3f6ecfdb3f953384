import { expect, it } from "vitest";
import { DUMP, RESTORE, statisticsImage } from "./criu-statistics.ts";

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

it("CRIU's statistics have the headers of its images, and all fields that its readers require", () => {
  const header = "4059105506330957";
  expect(hex(statisticsImage(DUMP, 0.3))).toBe(`${header}13000000` + "0a11080010ac02180020002800300038004800");
  expect(hex(statisticsImage(RESTORE, 0))).toBe(`${header}0a000000` + "12080800100018002000");
  expect(hex(statisticsImage(RESTORE, 2 ** 40)), "no more than 32 bits").toContain("20ffffffff0f");
});
