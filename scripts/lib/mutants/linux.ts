import type { Mutant } from "./mutant.ts";

export const linux: readonly Mutant[] = [
  {
    name: "another user's process dies with the parent that has given its rights up",
    file: "packages/linux/src/privileges.ts",
    code: "sets.writeUInt32LE(2 ** CAP_KILL, 0);",
    without: "",
    test: ["packages/linux/src/privileges", "may keep one right in one thread"],
  },
  {
    name: "the threads of Node's pool do not keep the old root directory",
    file: "packages/linux/src/mounts.ts",
    code: 'await callInThread("int chroot(const char *path)", root, root);',
    without: "",
    test: ["packages/linux/src/privileges", "has another root directory in all its threads"],
  },
  {
    name: "a filter looks at whom a signal is for",
    file: "packages/linux/src/seccomp.ts",
    code: "...(signalled === undefined ? [] : onlyWith(kill, [process.pid, ...signalled])),",
    without: "",
    test: ["packages/linux/src/privileges", "signals no process but those that are named"],
  },
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
  {
    name: "a program that becomes a user keeps no group of root's",
    file: "packages/linux/src/privileges.ts",
    code: '  call("int setresgid(unsigned int real, unsigned int effective, unsigned int saved)", what, id, id, id);\n',
    without: "",
    test: ["packages/linux/src/privileges", "has no capability left"],
  },
  {
    name: "a filter is for all threads",
    file: "packages/linux/src/seccomp.ts",
    code: "const SECCOMP_FILTER_FLAG_TSYNC = 1;",
    without: "const SECCOMP_FILTER_FLAG_TSYNC = 0;",
    test: ["packages/linux/src/privileges", "in any of its threads"],
  },
  {
    name: "a filter keeps a program from typing into its terminal",
    file: "packages/linux/src/seccomp.ts",
    code: "[TIOCSTI, TIOCLINUX].flatMap",
    without: "[TIOCLINUX].flatMap",
    test: ["packages/linux/src/privileges", "types nothing"],
  },
];
