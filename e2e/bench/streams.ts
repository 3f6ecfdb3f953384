import { Kata } from "../harness/kata.ts";
import { compare, median, type Row } from "./measure.ts";

const RUNS = 3;
const BYTES = 16 * 1024 * 1024;

/** How fast a container's output and input pass, beside runc's on the host. */
export async function streams(kata: Kata): Promise<Row[]> {
  await using runc = new Kata([], "/usr/sbin/runc");
  const [ours, theirs] = [await measure(kata), await measure(runc)];
  return (["stdout", "stdin"] as const).flatMap((stream) => {
    const yardstick: Row = { what: `runc ${stream}`, value: median(theirs[stream]), unit: "MB/s" };
    return [compare({ what: stream, value: median(ours[stream]), unit: "MB/s" }, yardstick), yardstick];
  });
}

async function measure(runtime: Kata): Promise<{ stdout: number[]; stdin: number[] }> {
  const id = await runtime.start({ args: ["sleep", "1000"] });
  const rates: { stdout: number[]; stdin: number[] } = { stdout: [], stdin: [] };
  const input = Buffer.alloc(BYTES, 7);
  const rate = async (command: readonly string[], given?: Buffer): Promise<number> => {
    const empty = performance.now();
    await runtime.ok(["exec", id, "true"]);
    const began = performance.now();
    await runtime.run(["exec", id, ...command], given === undefined ? {} : { input: given });
    // Less what an exec costs that moves nothing.
    const seconds = (performance.now() - began - (began - empty)) / 1000;
    return BYTES / 1e6 / Math.max(seconds, 0.001);
  };
  for (let run = 0; run < RUNS; run++) {
    rates.stdout.push(await rate(["head", "-c", String(BYTES), "/dev/zero"]));
    rates.stdin.push(await rate(["sh", "-c", "cat >/dev/null"], input));
  }
  await runtime.ok(["delete", "--force", id]);
  return rates;
}
