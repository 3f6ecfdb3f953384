import type { Mutant } from "./mutant.ts";

export const shim: readonly Mutant[] = [
  {
    name: "a shim gives its capabilities up",
    file: "packages/shim/src/confine.ts",
    code: "  if (user !== undefined) becomeUser(user);\n",
    without: "",
    test: ["e2e/test/confined-shims", "has no privilege"],
  },
  {
    name: "a shim of a further process sees none of the host's files",
    file: "packages/shim/src/confine.ts",
    code: "else if (user !== undefined) enterEmptyRoot();",
    without: "else enterEmptyRoot.toString();",
    test: ["e2e/test/confined-shims", "or none, as the root directory"],
  },
  {
    name: "no device opens in a shim's view of its container",
    file: "packages/shim/src/container-view.ts",
    code: "    forbidDevices(tree);\n",
    without: "    forbidDevices.toString();\n",
    test: ["e2e/test/confined-shims", "opens no device"],
  },
];
