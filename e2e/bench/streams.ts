import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { connectAgent, processToMessage } from "@kata-ts/agent-protocol";
import { PolledProcess } from "@kata-ts/shim";
import { Kata } from "../harness/kata.ts";
import { compare, median, type Row } from "./measure.ts";

const RUNS = 3;
const MIB = 1024 * 1024;
const BYTES = 192 * MIB;
/** Enough to take seconds over the RPCs of the 1.x contract. */
const CONTRACT_BYTES = 16 * MIB;

type Rates = Readonly<Record<"stdout" | "stdin", number[]>>;

/** How fast a container's output and input pass, beside runc's on the host, and over the 1.x contract. */
export async function streams(kata: Kata): Promise<Row[]> {
  await using runc = new Kata([], "/usr/sbin/runc");
  const [ours, theirs] = [await measure(kata), await measure(runc)];
  const contract = await measureContract(kata);
  return (["stdout", "stdin"] as const).flatMap((stream) => {
    const yardstick: Row = { what: `runc ${stream}`, value: median(theirs[stream]), unit: "MB/s" };
    return [
      compare({ what: stream, value: median(ours[stream]), unit: "MB/s" }, yardstick),
      compare({ what: `${stream}, 1.x contract`, value: median(contract[stream]), unit: "MB/s" }, yardstick),
      yardstick,
    ];
  });
}

const write = (bytes: number): string[] => ["dd", "if=/dev/zero", "bs=64k", `count=${String(bytes / 65_536)}`];
const READ: readonly string[] = ["dd", "of=/dev/null", "bs=1M"];

async function measure(runtime: Kata): Promise<Rates> {
  const id = await runtime.start({ args: ["sleep", "1000"] });
  const rates: Rates = { stdout: [], stdin: [] };
  const input = Buffer.alloc(BYTES, 7);
  const rate = async (command: readonly string[], given?: Buffer): Promise<number> => {
    const empty = performance.now();
    await runtime.ok(["exec", id, "true"]);
    const began = performance.now();
    await runtime.run(["exec", id, ...command], given === undefined ? {} : { input: given });
    // Less what an exec costs that moves nothing.
    const seconds = (performance.now() - began - (began - empty)) / 1000;
    return BYTES / 1e6 / seconds;
  };
  for (let run = 0; run < RUNS; run++) {
    rates.stdout.push(await rate(write(BYTES)));
    rates.stdin.push(await rate(READ, input));
  }
  await runtime.ok(["delete", "--force", id]);
  return rates;
}

/** The same over ReadStdout and WriteStdin, as a shim does with an agent that has no process streams. */
async function measureContract(kata: Kata): Promise<Rates> {
  const id = await kata.start({ args: ["sleep", "1000"] });
  const record = readFileSync(join(kata.root, id, "kata.json"), "utf8");
  using agent = connectAgent((JSON.parse(record) as { vm: { agentUrl: string } }).vm.agentUrl);
  const rates: Rates = { stdout: [], stdin: [] };
  const rate = async (args: readonly string[], given: Buffer): Promise<number> => {
    const execId = randomUUID();
    const process = processToMessage({ args, cwd: "/", env: ["PATH=/bin"], user: { uid: 0, gid: 0 } });
    await agent.execProcess({ container_id: id, exec_id: execId, process });
    using guest = new PolledProcess(agent, { containerId: id, execId });
    const began = performance.now();
    guest.stdin.end(given);
    guest.stderr.resume();
    guest.stdout.resume();
    await finished(guest.stdout);
    await guest.wait();
    return CONTRACT_BYTES / 1e6 / ((performance.now() - began) / 1000);
  };
  for (let run = 0; run < RUNS; run++) {
    rates.stdout.push(await rate(write(CONTRACT_BYTES), Buffer.alloc(0)));
    rates.stdin.push(await rate(READ, Buffer.alloc(CONTRACT_BYTES, 7)));
  }
  await kata.ok(["delete", "--force", id]);
  return rates;
}
