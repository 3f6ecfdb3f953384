import { listOf, object, optional, parseShape, text } from "@kata-ts/linux/shape";
import { flowLimit, flowsOf, isTooMany, listKey } from "./flow-limit.ts";
import { changeRules, listRules } from "./nft.ts";

const TABLE = "ip kata-ts";

/** A table of our own: packets of sandboxes leave with an address of the host's. Each command is idempotent. */
const SETUP = `
add table ${TABLE}
add set ${TABLE} sandboxes { type ipv4_addr; }
add chain ${TABLE} postrouting { type nat hook postrouting priority 100; }
flush chain ${TABLE} postrouting
add rule ${TABLE} postrouting ip saddr @sandboxes masquerade
`;

const ofSandbox = (flows: number): string => `ip saddr . ${listKey(flows)}`;

/** The host's own count: it may keep a flow that a guest's router has forgotten. Of each address by itself, and idempotent, too. */
const bound = (flows: number): string => `
add set ${TABLE} flows { typeof ${ofSandbox(flows)}; size 1048576; flags dynamic; }
add chain ${TABLE} prerouting { type filter hook prerouting priority 0; }
flush chain ${TABLE} prerouting
add rule ${TABLE} prerouting ip saddr @sandboxes ${isTooMany("flows", ofSandbox(flows), flows)} drop
`;

/**
 * From now on packets from this address leave with an address of the host's, as far as its flows are not too many.
 *
 * @returns how many may be; @throws NetnsError KATA_NETWORK
 */
export async function addToHostTable(address: string): Promise<number> {
  // The first rule that needs it has the kernel track flows.
  if (flowLimit() === undefined) await changeRules(undefined, SETUP);
  const flows = flowLimit() ?? flowsOf(0);
  await changeRules(undefined, `${SETUP}${bound(flows)}add element ${TABLE} sandboxes { ${address} }\n`);
  return flows;
}

/** Takes every address out that is not one of these, and with the last one the table. Idempotent. */
export async function keepInHostTable(kept: readonly string[]): Promise<void> {
  const found = await listedAddresses();
  if (found === undefined) return;
  const gone = found.filter((address) => !kept.includes(address));
  if (gone.length === found.length) await changeRules(undefined, `delete table ${TABLE}\n`);
  else if (gone.length > 0) await changeRules(undefined, `delete element ${TABLE} sandboxes { ${gone.join(", ")} }\n`);
}

/**
 * The chains of other programs that drop what they forward unless a rule of theirs accepts it, such as
 * `table ip filter, chain FORWARD`. What another table drops, ours cannot let through.
 */
export async function droppingChains(): Promise<string[]> {
  return (await list("list chains"))
    .flatMap(({ chain }) => chain ?? [])
    .filter(({ family, hook, policy }) => /^(?:ip|inet)$/.test(family) && hook === "forward" && policy === "drop")
    .map(({ family, table, name }) => `table ${family} ${table}, chain ${name}`);
}

/** Undefined where there is no table of ours. */
async function listedAddresses(): Promise<readonly string[] | undefined> {
  const sets = (await list("list sets ip")).flatMap(({ set }) => set ?? []);
  const ours = sets.find(({ table, name }) => table === "kata-ts" && name === "sandboxes");
  return ours === undefined ? undefined : (ours.elem ?? []).filter((element) => typeof element === "string");
}

interface ListedSet {
  readonly table: string;
  readonly name: string;
  readonly elem?: readonly unknown[];
}

interface ListedChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

interface ListedItem {
  readonly set?: ListedSet;
  readonly chain?: ListedChain;
}

const listed = object<{ readonly nftables: readonly ListedItem[] }>({
  nftables: listOf(
    object<ListedItem>({
      set: optional(object<ListedSet>({ table: text, name: text, elem: optional(listOf((value) => value)) })),
      chain: optional(
        object<ListedChain>({ family: text, table: text, name: text, hook: optional(text), policy: optional(text) }),
      ),
    }),
  ),
});

async function list(what: string): Promise<readonly ListedItem[]> {
  return parseShape(listed, await listRules(what), `nft ${what}`).nftables;
}
