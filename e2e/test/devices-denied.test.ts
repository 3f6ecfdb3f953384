import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";

/** What every container may open, under any name, by crun's own rules: those of /dev, the console, and tunnels. */
const EVERYONES = ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2", "10:200"];

/**
 * Makes a node for each device that the guest's kernel knows, opens it for reading and for writing, and prints the numbers
 * of those that could not be opened for another reason than a missing right, or could be.
 */
const OPEN_ALL = `
for kind in b c; do
  case $kind in b) known=/sys/dev/block;; c) known=/sys/dev/char;; esac
  for number in $(ls $known) 1:1 1:2 1:4; do
    mknod /dev/node $kind \${number%:*} \${number#*:} || exit 2
    for way in '<' '>'; do
      said=$(eval ": $way /dev/node" 2>&1) && said=opened
      case "$said" in *"Operation not permitted"*) ;; *) echo "$kind $number" ;; esac
    done
    rm /dev/node
  done
done
ls /sys/dev/block | wc -l
`;

function mayMakeNodes(resources: unknown): (spec: EditableSpec) => void {
  return (spec) => {
    const kinds = ["bounding", "effective", "permitted"].map((kind) => [kind, ["CAP_MKNOD"]]);
    spec.process.capabilities = Object.fromEntries(kinds);
    spec.root.readonly = false;
    (spec.linux as Record<string, unknown>).resources = resources;
  };
}

describe("a container that may make device nodes, and has no other capability", () => {
  expectCleanHost();

  it.each([
    ["that runc spec writes", { devices: [{ allow: false, access: "rwm" }] }],
    ["that are none", { devices: [] }],
    ["that are not there", undefined],
  ])("opens no device of the guest by rules %s", async (_, resources) => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["sh", "-c", OPEN_ALL], edit: mayMakeNodes(resources) });
    const { exitCode, stdout, stderr } = await kata.run(["run", "--bundle", path, kata.id()]);
    const [disks, ...opened] = stdout.split("\n").reverse();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(Number(disks), "block devices that were tried").toBeGreaterThan(0);
    expect([...new Set(opened)].filter((device) => !EVERYONES.includes(device.slice(2)))).toEqual([]);
  });

  it("opens the image's by rules that allow all", async () => {
    await using kata = new Kata();
    const edit = mayMakeNodes({ devices: [{ allow: true, access: "rwm" }] });
    const script =
      "IFS=: read major minor < /sys/block/pmem0/dev; mknod /dev/node b $major $minor; head -c 1 /dev/node | wc -c";
    const { path } = await kata.bundle({ args: ["sh", "-c", script], edit });
    expect(await kata.ok(["run", "--bundle", path, kata.id()])).toBe("1");
  });
});
