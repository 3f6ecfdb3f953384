import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Containerd } from "../harness/engines/containerd.ts";
import { Pod } from "../harness/engines/pod.ts";
import { RUNTIME } from "../harness/paths.ts";
import { compare, median, type Row, timed } from "./measure.ts";
import { pssOf } from "./memory.ts";

const RUNS = 5;
const IMAGE = "e2e.test/busybox:latest";
/** A moment after the last start, processes give back what they do not use. */
const IDLE_MS = 4_000;
const STEPS = ["run", "exec true", "kill and delete"] as const;

/** Ways from containerd to a VM: the options that ctr gets, and the CRI's handler. */
const WAYS = [
  {
    name: "runc's shim and kata-runtime",
    options: ["--runtime", "io.containerd.runc.v2", "--runc-binary", RUNTIME],
    handler: "kata",
  },
  { name: "containerd-shim-kata-v2", options: ["--runtime", "io.containerd.kata.v2"], handler: "kata-v2" },
] as const;

type Way = (typeof WAYS)[number];
type Times = Record<(typeof STEPS)[number], number[]>;

/** A container's life by containerd's own shim and by ours, and what a pod's processes beside QEMU and virtiofsd hold. */
export async function shimsOfContainerd(): Promise<Row[]> {
  await using containerd = await Containerd.start();
  const [theirs, ours] = [WAYS[0], WAYS[1]];
  const times: Map<Way, Times> = new Map(WAYS.map((way) => [way, { run: [], "exec true": [], "kill and delete": [] }]));
  for (let run = 0; run <= RUNS; run++) {
    for (const way of WAYS) {
      const one = await live(containerd, way);
      // The first fills file caches.
      if (run > 0) for (const step of STEPS) times.get(way)?.[step].push(one[step]);
    }
  }
  const rowOf = (way: Way, step: (typeof STEPS)[number]): Row => ({
    what: `${step}, ${way.name}`,
    value: median(times.get(way)?.[step] ?? []),
    unit: "ms",
  });
  const pods = [];
  for (const way of WAYS) pods.push(...(await podOf(containerd, way)));
  const [alone, all, ourAlone, ourAll] = pods;
  if (alone === undefined || all === undefined || ourAlone === undefined || ourAll === undefined)
    throw new Error("nothing was measured");
  return [
    ...STEPS.flatMap((step) => [compare(rowOf(ours, step), rowOf(theirs, step)), rowOf(theirs, step)]),
    ...[compare(ourAlone, alone), alone, compare(ourAll, all), all],
  ];
}

async function live(containerd: Containerd, { options }: Way): Promise<Record<keyof Times, number>> {
  const id = "measured";
  const run = await timed(() => containerd.ok("run", "--detach", ...options, IMAGE, id, "sleep", "1000"));
  const exec = await timed(() => containerd.ok("task", "exec", "--exec-id", "e", id, "true"));
  const end = await timed(async () => {
    await containerd.ok("task", "kill", "--signal", "SIGKILL", id);
    await containerd.ctr(["task", "delete", "--force", id]);
  });
  await containerd.ok("container", "delete", id);
  return { run, "exec true": exec, "kill and delete": end };
}

/** A pod with one container, and then with three and a process of exec. */
async function podOf(containerd: Containerd, { name, handler }: Way): Promise<Row[]> {
  await using pod = await Pod.run(containerd, handler);
  const first = await pod.start({ name: "first", command: ["sleep", "1000"] });
  await delay(IDLE_MS);
  const alone: Row = { what: `memory of a pod with one container, ${name}`, value: heldMiB(), unit: "MiB" };
  for (const other of ["second", "third"]) await pod.start({ name: other, command: ["sleep", "1000"] });
  const exec = pod.exec(first, "sh", "-c", "touch /up; until [ -e /end ]; do sleep 0.2; done");
  await pod.output(first, "sh", "-c", "until [ -e /up ]; do sleep 0.2; done");
  await delay(IDLE_MS * 3);
  const all: Row = {
    what: `memory of a pod with three containers and an exec, ${name}`,
    value: heldMiB(),
    unit: "MiB",
  };
  await pod.output(first, "touch", "/end");
  await exec;
  return [alone, all];
}

function heldMiB(): number {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const ours = pids.map(Number).filter((pid) => /kata-(proxy|shim|runtime)|containerd-shim/.test(commandOf(pid)));
  return ours.reduce((sum, pid) => sum + pssOf(pid), 0);
}

/** The program's own words: QEMU and virtiofsd have our directories' names in theirs. */
function commandOf(pid: number): string {
  try {
    const command = readFileSync(`/proc/${String(pid)}/cmdline`, "latin1").replaceAll("\0", " ");
    return /qemu-system|virtiofsd/.test(command) ? "" : command;
  } catch {
    return "";
  }
}
