import { type QmpClient, rootPortName, rootPortPlace, takenRootPorts } from "@kata-ts/qemu-driver";
import { KataError } from "../errors.ts";

/** The first port is the shared tree's, which may come later. */
const FIRST_FREE_PORT = 1;

/**
 * A root port of a running VM that has no device, and where the guest finds what is plugged there.
 *
 * @param ports how many the VM has
 * @throws KataError KATA_CONFIG when all have one
 */
export async function freePlace(qmp: QmpClient, ports: number): Promise<{ rootPort: string; pciPath: string }> {
  const port = freePort(ports, await takenRootPorts(qmp));
  return { rootPort: rootPortName(port), pciPath: rootPortPlace(port) };
}

function freePort(ports: number, taken: ReadonlySet<string>): number {
  for (let port = FIRST_FREE_PORT; port < ports; port++) if (!taken.has(rootPortName(port))) return port;
  throw new KataError("KATA_CONFIG", `the VM has no port left for another device: it has ${String(ports)}`, {
    hint: "raise vm.rootPorts",
  });
}
