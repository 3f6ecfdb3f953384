import { readFileSync } from "node:fs";
import { openRuntime } from "@kata-ts/runtime";
import {
  addInterface,
  type ContainerId,
  listInterfaces,
  listRoutes,
  type Ports,
  parseContainerId,
  removeInterface,
  syncNetwork,
  updateRoutes,
} from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { interfaceView, parseInterface, parseRoutes, routeView } from "./kata-network-json.ts";

const STDIN = 0;

type Action = (id: ContainerId, input: () => unknown, environment: Ports) => Promise<object | undefined>;

const ACTIONS: Readonly<Record<string, Action>> = {
  "add-iface": async (id, input, environment) =>
    interfaceView(await addInterface(id, parseInterface(input()), environment)),
  "del-iface": async (id, input, environment) =>
    interfaceView(await removeInterface(id, parseInterface(input()), environment)),
  "list-ifaces": async (id, _, environment) => interfaceView(await listInterfaces(id, environment)),
  "update-routes": async (id, input, environment) =>
    routeView(await updateRoutes(id, parseRoutes(input()), environment)),
  "list-routes": async (id, _, environment) => routeView(await listRoutes(id, environment)),
  // For kata-proxy, which sees the network namespace change.
  sync: async (id, _, environment) => {
    await syncNetwork(id, environment);
    return undefined;
  },
};

export const manual: Manual = {
  operands: "ACTION CONTAINER [FILE|-]",
  options: {},
  notes: ["Actions: add-iface, del-iface, list-ifaces, update-routes, list-routes, sync. Input and output are JSON."],
};

/** `kata-network ACTION ID [FILE|-]`: what the guest has is printed as JSON, in Kata's shape. */
export const verb: Verb = async (args, context) => {
  const { words } = parseAnywhere(args, manual.options);
  const [name = "", id, file = "-"] = words;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined || id === undefined || words.length > 3) {
    throw new UsageError(`"kata-network" requires one of ${Object.keys(ACTIONS).join(", ")}, and a container id`);
  }
  const input = (): unknown => {
    const text = readFileSync(file === "-" ? STDIN : file, "utf8");
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw new UsageError(`${file === "-" ? "standard input" : file} is not JSON: ${(error as Error).message}`);
    }
  };
  const container = parseContainerId(id);
  const runtime = await openRuntime(context, { id: container });
  const environment = await runtime.ports("store", "hypervisor", "network", "cgroups", "connectAgent");
  const printed = await action(container, input, environment);
  if (printed !== undefined) print(`${JSON.stringify(printed)}\n`);
  return 0;
};
