import { describe, expect, it } from "vitest";
import { inGoWords } from "./oci-runtime.ts";

describe("what the guest's runtime says", () => {
  it.each([
    [
      "executable file `no-such` not found in $PATH: No such file or directory",
      'exec: "no-such": executable file not found in $PATH: no such file or directory',
    ],
    ["open executable: Permission denied", "open executable: permission denied"],
    ["mount `/a` to `/b`: Not a directory", "mount `/a` to `/b`: not a directory"],
    ["cannot set memory limit: Device or resource busy", "cannot set memory limit: Device or resource busy"],
  ])("is put as engines expect it: %s", (said, wanted) => {
    expect(inGoWords(said)).toBe(wanted);
  });
});
