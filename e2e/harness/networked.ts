import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { EditableSpec } from "./bundle.ts";
import { pythonRootfs } from "./images.ts";
import { Kata } from "./kata.ts";
import { PEER } from "./network.ts";
import { rotated } from "./rotation.ts";

type NetworkedRuntime = readonly [name: string, open: () => Kata];

const OURS: readonly NetworkedRuntime[] = [
  ["kata-runtime", () => new Kata()],
  ["kata-runtime with macvtap", () => Kata.configured('[runtime]\ninternetworking_model = "macvtap"\n')],
];

const RUNC: NetworkedRuntime = ["runc", () => new Kata([], "/usr/sbin/runc")];

/**
 * runc, which uses the interfaces as they are, and ours with each way of joining them to a VM. The default has its turn
 * each day, the other one each second.
 *
 * @param turn suites with another one have it on the other day
 */
export function networkedRuntimes(turn: 0 | 1): NetworkedRuntime[] {
  return [RUNC, ...ourNetworkedRuntimes(turn)];
}

export function ourNetworkedRuntimes(turn: 0 | 1): NetworkedRuntime[] {
  const [usual, other] = OURS;
  if (usual === undefined || other === undefined) return [];
  const days = [[other], []];
  return [usual, ...rotated(turn === 0 ? days : days.reverse(), 2).flat()];
}

/** runc and both of ours, every day. */
export const NETWORKED_RUNTIMES: readonly NetworkedRuntime[] = [RUNC, ...OURS];

export const PORT = "7000";

/** Makes a config.json use a network namespace, and lets it ping. */
export function inNamespace(spec: EditableSpec, namespace: string): void {
  const { namespaces } = spec.linux as { namespaces: { type: string; path?: string }[] };
  for (const entry of namespaces) if (entry.type === "network") entry.path = namespace;
  const capabilities = spec.process.capabilities as Record<string, string[]>;
  for (const set of Object.values(capabilities)) set.push("CAP_NET_RAW");
}

/** A container made from a real image, in a network namespace, that serves test traffic. */
export async function startPeer(
  kata: Kata,
  namespace: string,
  edit: (spec: EditableSpec) => void = () => undefined,
): Promise<string> {
  const shared = join(kata.directory, "shared");
  rmSync(shared, { recursive: true, force: true });
  mkdirSync(shared);
  const id = await kata.start({
    image: await pythonRootfs(),
    args: ["sh", "-c", `python3 /peer.py serve ${PORT} > /shared/ready`],
    edit: (spec) => {
      inNamespace(spec, namespace);
      spec.mounts.push(
        { destination: "/shared", type: "bind", source: shared, options: ["bind"] },
        { destination: "/peer.py", type: "bind", source: PEER, options: ["bind", "ro"] },
        { destination: "/busybox", type: "bind", source: "/bin/busybox", options: ["bind", "ro"] },
      );
      edit(spec);
    },
  });
  const ready = join(shared, "ready");
  while (!existsSync(ready) || readFileSync(ready, "utf8") === "") await setImmediate();
  return id;
}

/** The container's end of test traffic. @returns what it printed */
export function peerIn(kata: Kata, id: string, ...args: readonly string[]): Promise<string> {
  return kata.ok(["exec", id, "python3", "/peer.py", ...args]);
}
