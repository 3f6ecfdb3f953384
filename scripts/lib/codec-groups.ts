/**
 * The RPCs whose messages are encoded and decoded by one module, `gen/GROUP.js` of agent-protocol: those that one caller
 * needs together. A call that signals a process parses nothing of what config.json became in Kata 1.x's messages.
 */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  health: ["grpc.Health.Check", "grpc.Health.Version"],
  process: agent(
    "StartContainer RemoveContainer PauseContainer ResumeContainer SignalProcess WaitProcess ListProcesses " +
      "WriteStdin ReadStdout ReadStderr CloseStdin TtyWinResize",
  ),
  specification: [
    ...agent("CreateContainer ExecProcess UpdateContainer"),
    "katats.v1.ContainerService.CreateFromConfig",
  ],
  statistics: agent("StatsContainer GetOOMEvent"),
  network: agent("UpdateInterface UpdateRoutes ListInterfaces ListRoutes AddARPNeighbors"),
  sandbox: agent(
    "CreateSandbox DestroySandbox OnlineCPUMem ReseedRandomDev GetGuestDetails MemHotplugByProbe SetGuestDateTime " +
      "CopyFile StartTracing StopTracing",
  ),
  extension: [
    ..."ExecFromConfig UpdateFromConfig OpenStream RenameContainer"
      .split(" ")
      .map((name) => `katats.v1.ContainerService.${name}`),
    "katats.v1.ClockService.FollowClock",
    "katats.v1.FileService.OperateOnFiles",
    "katats.v1.NetworkService.ServeDns",
    "katats.v1.NetworkService.ResetConnections",
  ],
};

/** Modules of what belongs to no RPC: the messages that carry all of them, and what callers name the values of. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  ttrpc: ["ttrpc.Request", "ttrpc.Response"],
  enumerations: ["types.IPFamily"],
};

function agent(methods: string): string[] {
  return methods.split(" ").map((name) => `grpc.AgentService.${name}`);
}

/** A namespace, message, enumeration or service, as `pbjs --target json` writes it. */
export interface Descriptor {
  readonly fields?: Readonly<Record<string, { readonly type: string }>>;
  readonly methods?: Readonly<Record<string, { readonly requestType: string; readonly responseType: string }>>;
  readonly nested?: Readonly<Record<string, Descriptor>>;
}

interface CodecGroup {
  readonly name: string;
  /** What can be imported of its module, such as `grpc.CheckRequest`. */
  readonly messages: readonly string[];
  /** Those, and all that they are made of. */
  readonly descriptor: Descriptor;
}

/** @throws Error for an RPC that no group has, or two */
export function codecGroups(all: Descriptor): CodecGroup[] {
  const methods = methodsIn(all);
  const grouped = Object.values(GROUPS).flat();
  const wrong = [...methods.keys()].filter((name) => grouped.filter((each) => each === name).length !== 1);
  if (wrong.length > 0) throw new Error(`not in exactly one group of codecs: ${wrong.join(", ")}`);
  const groups = Object.entries(GROUPS).map(([name, members]) => {
    return { name, messages: [...new Set(members.flatMap((method) => methods.get(method) ?? []))] };
  });
  const others = Object.entries(OTHERS).map(([name, messages]) => ({ name, messages }));
  return [...groups, ...others].map((group) => {
    return { ...group, descriptor: pruned(all, closureOf(group.messages, all)) };
  });
}

/** The messages of each RPC, by its service's name and its own. */
function methodsIn(descriptor: Descriptor, path: readonly string[] = []): Map<string, string[]> {
  const found: Map<string, string[]> = new Map();
  for (const [name, { requestType, responseType }] of Object.entries(descriptor.methods ?? {})) {
    const scope = path.slice(0, -1);
    found.set(
      [...path, name].join("."),
      [requestType, responseType].map((type) => (type.includes(".") ? type : [...scope, type].join("."))),
    );
  }
  for (const [name, child] of Object.entries(descriptor.nested ?? {})) {
    for (const [method, types] of methodsIn(child, [...path, name])) found.set(method, types);
  }
  return found;
}

/** Messages, and those of their fields, and so on. */
function closureOf(messages: readonly string[], all: Descriptor): Set<string> {
  const closure: Set<string> = new Set();
  const pending = [...messages];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (closure.has(name)) continue;
    closure.add(name);
    const scope = name.split(".");
    for (const { type } of Object.values(find(scope, all)?.fields ?? {})) {
      const resolved = resolve(type, scope, all);
      if (resolved !== undefined) pending.push(resolved);
    }
  }
  return closure;
}

/** A type's full name, looked for from the inside out; undefined for numbers, texts and bytes. */
function resolve(type: string, scope: readonly string[], all: Descriptor): string | undefined {
  for (let depth = scope.length; depth >= 0; depth -= 1) {
    const candidate = [...scope.slice(0, depth), ...type.split(".")];
    if (find(candidate, all) !== undefined) return candidate.join(".");
  }
  return undefined;
}

function find(path: readonly string[], all: Descriptor): Descriptor | undefined {
  return path.reduce<Descriptor | undefined>((at, name) => at?.nested?.[name], all);
}

/** Only these messages, with the namespaces that they are in. */
function pruned(descriptor: Descriptor, keep: ReadonlySet<string>, path: readonly string[] = []): Descriptor {
  const nested = Object.entries(descriptor.nested ?? {}).flatMap(([name, child]) => {
    const here = [...path, name];
    const isKept = [...keep].some((kept) => kept === here.join(".") || kept.startsWith(`${here.join(".")}.`));
    return isKept ? [[name, pruned(child, keep, here)] as const] : [];
  });
  return { ...descriptor, nested: Object.fromEntries(nested) };
}
