// A program that owns a pod: it makes the containers of the bundles that it is given, then does what each line of its
// input says, `{ "do": "exec", … }`, and answers with a line. Its arguments: root, libexec, bundles as ID=DIRECTORY.
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { findInstallation, loadBundle, Pod, type PodProcess } from "@kata-ts/runtime";

interface Order {
  readonly do: string;
  readonly id?: string;
  readonly args?: readonly string[];
  readonly input?: string;
  readonly signal?: number;
  readonly memory?: number;
}

const [root = "", libexec = "", ...bundles] = process.argv.slice(2);
const warnings: string[] = [];
const none = (): void => undefined;
const pod = new Pod({
  root,
  installation: findInstallation(libexec),
  log: { debug: none, warning: (message) => warnings.push(message), enableDebug: none, about: none, alsoTo: none },
});
const events: unknown[] = [];
pod.events.on("exit", ({ containerId, execId, status }) => events.push({ exit: containerId, execId, status }));
pod.events.on("oom", ({ containerId }) => events.push({ oom: containerId }));
pod.events.on("end", () => events.push("end"));
let serial = 0;

/** Its outputs, for as long as it runs. @param onWords called for each piece of its standard output */
function collect({ stdout, stderr, exited }: PodProcess, onWords: () => void = none): Promise<object> {
  const text = async (stream: PodProcess["stdout"], onPiece: () => void = none): Promise<string> => {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of stream) {
        pieces.push(piece as Buffer);
        onPiece();
      }
    } catch {
      return "";
    }
    return Buffer.concat(pieces).toString();
  };
  return Promise.all([text(stdout, onWords), text(stderr), exited]).then(([out, err, { status }]) => ({
    out,
    err,
    status,
  }));
}

async function exec(id: string, args: readonly string[], input = ""): Promise<object> {
  const process = await pod.exec(id, `exec-${String(serial++)}`, { args, cwd: "/", env: ["PATH=/bin"] });
  process.stdin.end(input);
  return collect(process);
}

/** The command lines of the processes that this one has started. */
function children(): string[] {
  const read = (pid: string, file: string): string => readFileSync(`/proc/${pid}/${file}`, "latin1");
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, parent] = /^\d+ \(.*\) \S (\d+)/s.exec(read(pid, "stat")) ?? [];
        return Number(parent) === process.pid ? [read(pid, "cmdline").replaceAll("\0", " ")] : [];
      } catch {
        return []; // It has ended.
      }
    });
}

const results: Map<string, Promise<object>> = new Map();
const words: Map<string, Promise<void>> = new Map();

const ORDERS: Readonly<Record<string, (order: Order, id: string) => Promise<unknown>>> = {
  start: (_, id) => pod.start(id),
  exec: ({ args = [], input }, id) => exec(id, args, input),
  "twenty execs": (_, id) => Promise.all(Array.from({ length: 20 }, (_each, n) => exec(id, ["echo", String(n)]))),
  signal: ({ signal = 0 }, id) => pod.signal(id, signal),
  result: async (_, id) => results.get(id),
  "first words": async (_, id) => words.get(id),
  status: (_, id) => pod.status(id),
  pause: (_, id) => pod.pause(id),
  resume: (_, id) => pod.resume(id),
  update: ({ memory = 0 }, id) => pod.update(id, { memory: { limit: memory } }),
  stats: async (_, id) => String((await pod.stats(id)).cgroup_stats?.memory_stats?.usage?.limit),
  processes: (_, id) => pod.processes(id),
  delete: (_, id) => pod.delete(id),
  children: async () => children(),
  cgroup: async () => readFileSync("/proc/self/cgroup", "latin1"),
  events: async () => ({ events, warnings }),
  close: () => pod.close(),
};

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value ?? null)}\n`);
}

for (const each of bundles) {
  const [id = "", directory = ""] = each.split("=");
  const spoken = Promise.withResolvers<void>();
  words.set(id, spoken.promise);
  results.set(id, collect(await pod.create({ id, bundle: loadBundle(directory) }), spoken.resolve));
}
answer("created");
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order;
  try {
    answer({ value: (await ORDERS[order.do]?.(order, order.id ?? "")) ?? null });
  } catch (error) {
    answer({ error: String(error) });
  }
}
