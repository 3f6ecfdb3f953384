import type { Mutant } from "./mutant.ts";

export const ociImage: readonly Mutant[] = [
  {
    name: "digits of an image are a number",
    file: "packages/oci-image/src/process.ts",
    code: "return /^\\d+$/.test(key);",
    without: 'return key === "";',
    test: ["packages/oci-image/src/process", "is not taken for root"],
  },
];
