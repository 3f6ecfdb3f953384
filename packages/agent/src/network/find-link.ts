import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";
import { openKernelEvents } from "@kata-ts/linux";
import { deviceAtPath } from "../guest/pci-path.ts";
import { PLUGGED_DEADLINE_MS } from "../guest/plugged.ts";

const LINKS = "/sys/class/net";

/** Where a card is plugged in, or what its MAC address is. */
export interface LinkQuery {
  /** Kata's "BB/SS": slots of bridge and device in hex; empty: by MAC address. */
  readonly pciPath: string;
  readonly mac: string;
}

/** The name of an interface, waiting for a card that is just being plugged in. @throws AgentRpcError DEADLINE_EXCEEDED */
export async function waitForLink(query: LinkQuery): Promise<string> {
  const events = openKernelEvents("devices");
  const deadline = AbortSignal.timeout(PLUGGED_DEADLINE_MS);
  try {
    for (;;) {
      const name = query.pciPath === "" ? linkOfMac(query.mac) : deviceAtPath(query.pciPath, "net");
      if (name !== undefined) return name;
      await once(events, "data", { signal: deadline });
    }
  } catch (error) {
    if (!deadline.aborted) throw error;
    const which = query.pciPath === "" ? `MAC address ${query.mac}` : `PCI path ${query.pciPath}`;
    throw new AgentRpcError(RpcStatus.DeadlineExceeded, `no interface with ${which} has appeared`);
  } finally {
    events.destroy();
  }
}

function linkOfMac(mac: string): string | undefined {
  return readdirSync(LINKS).find((name) => {
    try {
      return readFileSync(`${LINKS}/${name}/address`, "latin1").trim() === mac;
    } catch {
      return false;
    }
  });
}
