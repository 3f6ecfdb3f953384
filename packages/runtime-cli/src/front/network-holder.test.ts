import { isAlive, type ProcessIdentity, processEnd } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import type { Order } from "./holder-protocol.ts";
import { NetworkHolder } from "./network-holder.ts";

const ORDER: Order = { id: "web", namespace: "/run/netns/web", bundle: "/srv/web", ports: [], egress: "all" };
const NETWORK = { address: "10.91.0.6", gateway: "10.91.0.5", ports: [], warnings: [] };

/** Starts a shell's script as the program that keeps a network. */
function started(script: string, signal: AbortSignal, deadlineMs?: number) {
  const keepers: ProcessIdentity[] = [];
  const onStart = (keeper: ProcessIdentity): void => void keepers.push(keeper);
  const given = deadlineMs === undefined ? {} : { deadlineMs };
  const options = { kata: ["/bin/sh", "-c", script] as const, signal, onStart, ...given };
  return { keepers, holder: NetworkHolder.start(ORDER, options) };
}

describe("a process that keeps a network", () => {
  const never = new AbortController().signal;

  it("has its order, lives on when it is let go, and learns of that", async () => {
    const { keepers, holder } = started(
      `read order && echo '${JSON.stringify({ network: NETWORK })}' && read end`,
      never,
    );
    const { network, keeper } = await holder;
    expect([network, keepers, isAlive(keeper)]).toEqual([NETWORK, [keeper], true]);
    (await holder).release();
    await processEnd(keeper);
  });

  it.each([
    ["says why it cannot", `read order; echo '{"failure":"no nft"}'; read end`, "no nft"],
    ["ends", "read order", "has ended before it was made"],
    ["says nothing that is an answer", "echo '{\"network\":1}'; read end", "the answer about a network"],
  ])("that %s is gone, and named", async (_, script, reason) => {
    const { keepers, holder } = started(script, never);
    await expect(holder).rejects.toThrow(reason);
    for (const keeper of keepers) await processEnd(keeper);
  });

  it("that is late is ended, and its time is named", async () => {
    const { keepers, holder } = started("read order; exec cat", never, 200);
    await expect(holder).rejects.toThrow("has not made it within 0.2 s");
    for (const keeper of keepers) await processEnd(keeper);
  });

  it("is ended by the signal, and is not started after it", async () => {
    const abort = new AbortController();
    const { keepers, holder } = started("read order; exec cat", abort.signal);
    const given = expect(holder).rejects.toBe("SIGINT");
    await expect.poll(() => keepers).toHaveLength(1);
    abort.abort("SIGINT");
    await given;
    for (const keeper of keepers) await processEnd(keeper);
    const later = started("exec cat", abort.signal);
    await expect(later.holder).rejects.toBe("SIGINT");
    expect(later.keepers).toEqual([]);
  });
});
