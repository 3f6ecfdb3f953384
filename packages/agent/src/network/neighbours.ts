import type { types } from "@kata-ts/agent-protocol";
import type { Commands } from "../commands.ts";
import { checkedAddress, checkedMac, checkedName, ipBatch } from "./ip.ts";

const NTF_EXT_LEARNED = 0x10;
const NTF_ROUTER = 0x80;

/** Adds permanent neighbour entries, with their flags. */
export async function addNeighbours(
  commands: Commands,
  neighbours: readonly types.ARPNeighbor.$Properties[],
): Promise<void> {
  const lines = neighbours.map(({ toIPAddress, device, lladdr, flags: given }) => {
    const flags = given ?? 0;
    const words = [checkedAddress(toIPAddress?.address ?? ""), "lladdr", checkedMac(lladdr ?? "")];
    words.push("dev", checkedName(device ?? ""), "nud", "permanent");
    if ((flags & NTF_ROUTER) !== 0) words.push("router");
    if ((flags & NTF_EXT_LEARNED) !== 0) words.push("extern_learn");
    return `neigh replace ${words.join(" ")}`;
  });
  await ipBatch(commands, "neighbours", lines);
}
