import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { pagedProgram } from "../harness/paged-program.ts";

const PAGES = 63;
const COUNT = 60;
/** With an odd number of pages, each of 255 steps makes another sum of 8 bits. */
const sumOf = (step: number, pages: number): number => (pages * step) % 256;

// What virtiofsd writes into a guest's memory it writes behind the emulator's back: a page that had another program's code must
// not be run as that.
describe("the memory of a program that has ended", () => {
  expectCleanHost();

  it("is the next one's, with the next one's code", async () => {
    await using kata = new Kata();
    // The pages of a removed file are free at once, and are the first to be used again.
    const loop = `n=0; while [ $((n += 1)) -le ${String(COUNT)} ]; do /program-$n; echo "$n $?"; rm /program-$n; done`;
    const { path, rootfs } = await kata.bundle({
      args: ["sh", "-c", loop],
      edit: (spec) => {
        spec.root.readonly = false;
      },
    });
    const steps = Array.from({ length: COUNT }, (_, index) => index + 1);
    for (const step of steps) {
      writeFileSync(join(rootfs, `program-${String(step)}`), pagedProgram(PAGES, step), { mode: 0o755 });
    }
    const { stdout, stderr, exitCode } = await kata.run(["run", "--bundle", path, kata.id()]);
    expect(stdout.split("\n")).toEqual(steps.map((step) => `${String(step)} ${String(sumOf(step, PAGES))}`));
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  });

  it("is what the host has made of the same file", async () => {
    await using kata = new Kata();
    const id = kata.id();
    const { path, rootfs } = await kata.bundle({ args: ["sleep", "1000"] });
    const file = join(rootfs, "program");
    writeFileSync(file, pagedProgram(PAGES, 1), { mode: 0o755 });
    await kata.create(id, path);
    await kata.ok(["start", id]);
    const statuses: unknown[] = [];
    const expected: number[] = [];
    for (let step = 1; step <= 8; step += 1) {
      // Another length each time, by which the guest sees that it is another file.
      const pages = PAGES + 2 * step;
      writeFileSync(file, pagedProgram(pages, step));
      statuses.push((await kata.run(["exec", id, "sh", "-c", "stat /program >/dev/null; exec /program"])).exitCode);
      expected.push(sumOf(step, pages));
    }
    expect(statuses).toEqual(expected);
  });
});
