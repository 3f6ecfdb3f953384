import { Kata } from "../harness/kata.ts";
import { compare, median, type Row } from "./measure.ts";

const RUNS = 3;
const MIB = 1024 * 1024;
/** Enough to take seconds with us, and a good part of one with runc. */
const OURS = 16 * MIB;
const THEIRS = 256 * MIB;

/** How fast a container's output and input pass, beside runc's on the host. */
export async function streams(kata: Kata): Promise<Row[]> {
  await using runc = new Kata([], "/usr/sbin/runc");
  const [ours, theirs] = [await measure(kata, OURS), await measure(runc, THEIRS)];
  return (["stdout", "stdin"] as const).flatMap((stream) => {
    const yardstick: Row = { what: `runc ${stream}`, value: median(theirs[stream]), unit: "MB/s" };
    return [compare({ what: stream, value: median(ours[stream]), unit: "MB/s" }, yardstick), yardstick];
  });
}

async function measure(runtime: Kata, bytes: number): Promise<{ stdout: number[]; stdin: number[] }> {
  const id = await runtime.start({ args: ["sleep", "1000"] });
  const rates: { stdout: number[]; stdin: number[] } = { stdout: [], stdin: [] };
  const input = Buffer.alloc(bytes, 7);
  const rate = async (command: readonly string[], given?: Buffer): Promise<number> => {
    const empty = performance.now();
    await runtime.ok(["exec", id, "true"]);
    const began = performance.now();
    await runtime.run(["exec", id, ...command], given === undefined ? {} : { input: given });
    // Less what an exec costs that moves nothing.
    const seconds = (performance.now() - began - (began - empty)) / 1000;
    return bytes / 1e6 / seconds;
  };
  for (let run = 0; run < RUNS; run++) {
    rates.stdout.push(await rate(["head", "-c", String(bytes), "/dev/zero"]));
    rates.stdin.push(await rate(["sh", "-c", "cat >/dev/null"], input));
  }
  await runtime.ok(["delete", "--force", id]);
  return rates;
}
