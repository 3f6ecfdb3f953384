import type { Handler } from "./handler.ts";

export const linux: readonly Handler[] = [
  {
    name: "words of a guest cannot steer a terminal",
    file: "packages/linux/src/escape.ts",
    code: "export function escapeControls(text: string): string {",
    without: 'export function escapeControls(text: string): string {\n  if (text !== "") return text;',
    test: ["e2e/test/hostile-agent", "with escape sequences"],
  },
  {
    name: "what is shared read-only cannot be written by the guest's root",
    file: "packages/linux/src/mounts.ts",
    code: "const MOUNT_ATTR_RDONLY = 1n;",
    without: "const MOUNT_ATTR_RDONLY = 0n;",
    test: ["e2e/test/hostile-guest", "nor to a volume that is read-only"],
  },
];
