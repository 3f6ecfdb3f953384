import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

interface Program {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** What the step has to fail in, after its programs were killed. */
const GRACE_MS = 10_000;

/**
 * Does something that starts programs. At the limit it prints the programs that run, kills them and rejects: a test
 * that blocks its own process ends in no other way, and a run that is cut off from outside does not say what it was in.
 * @param whatRuns what was in progress, for the error
 */
export async function endsWithin(limitMs: number, body: () => Promise<void>, whatRuns: () => string): Promise<void> {
  const work = body();
  if (await endsIn(limitMs, work)) return;
  const programs = below(process.pid);
  const running = whatRuns();
  const lines = programs.map(({ pid, parent, command }) => `  ${String(pid)} of ${String(parent)}: ${command}\n`);
  process.stdout.write(`The time is over. These programs run:\n${lines.join("")}`);
  for (const { pid } of programs.toReversed()) kill(pid);
  await endsIn(
    GRACE_MS,
    work.catch(() => undefined),
  );
  throw new Error(`it did not end within ${(limitMs / 60_000).toFixed(1)} minutes, in ${running}`);
}

/** Whether that is done before the limit. Rejects as it does. */
async function endsIn(limitMs: number, work: Promise<void>): Promise<boolean> {
  const clock = new AbortController();
  const limit = delay(limitMs, false, { signal: clock.signal });
  return Promise.race([work.then(() => true), limit]).finally(() => {
    clock.abort();
  });
}

/** The programs that a process started, and those that they started; each after its parent. */
function below(pid: number): Program[] {
  const all = readdirSync("/proc").flatMap((name) => programOf(Number(name)));
  const found: Program[] = [];
  const parents = [pid];
  for (const parent of parents) {
    for (const program of all.filter((each) => each.parent === parent)) {
      found.push(program);
      parents.push(program.pid);
    }
  }
  return found;
}

function programOf(pid: number): Program[] {
  if (!Number.isInteger(pid)) return [];
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "latin1");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    const command = readFileSync(`/proc/${String(pid)}/cmdline`, "utf8")
      .replaceAll("\0", " ")
      .slice(0, 300);
    return [{ pid, parent, command }];
  } catch {
    return []; // It has ended since it was listed.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
