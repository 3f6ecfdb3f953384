import type { Handler } from "./handler.ts";

export const ociImage: readonly Handler[] = [
  {
    name: "digits of an image are a number",
    file: "packages/oci-image/src/process.ts",
    code: "return /^\\d+$/.test(key);",
    without: 'return key === "";',
    test: ["packages/oci-image/src/process", "is not taken for root"],
  },
];
