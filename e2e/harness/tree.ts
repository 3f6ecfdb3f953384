import { execa } from "execa";

/** Devices' numbers and extended attributes: what find does not show. */
const MORE = `
import os, sys
top = sys.argv[1]
for directory, directories, files in os.walk(top):
    for name in directories + files:
        path = os.path.join(directory, name)
        shown = path[len(top) + 1:]
        device = os.lstat(path).st_rdev
        if device: print(shown, "device", os.major(device), os.minor(device))
        for key in os.listxattr(path, follow_symlinks=False):
            print(shown, key, os.getxattr(path, key, follow_symlinks=False).hex())
`;

const SUMS = 'cd "$1" && find . -type f -print0 | xargs -0 cksum';

/** Name, kind, mode, owner, time, target of links, content, device, extended attributes: all that makes a tree. */
export async function treeOf(directory: string): Promise<string[]> {
  const shown = "%P %y %m %U:%G %Ts %l";
  const printed = await Promise.all([
    execa("find", [directory, "-mindepth", "1", "-printf", `${shown}\\n`]),
    execa("sh", ["-c", SUMS, "sh", directory]),
    execa("python3", ["-c", MORE, directory]),
  ]);
  return printed.flatMap(({ stdout }) => stdout.split("\n").sort());
}
