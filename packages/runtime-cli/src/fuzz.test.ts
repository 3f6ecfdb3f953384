import { fuzz, throwsOnly } from "@kata-ts/fuzzing";
import fc from "fast-check";
import { describe } from "vitest";
import { parseGlobals } from "./arguments/globals.ts";

describe("fuzz", () => {
  const words = ["--root", "--root=", "-v", "--log-format", "json", "create", "--", "--bundle", "-", "--debug=x", ""];
  fuzz("command-line", fc.array(fc.oneof(fc.constantFrom(...words), fc.string())), (argv) => {
    throwsOnly(["KATA_USAGE"], () => parseGlobals(argv));
  });
});
