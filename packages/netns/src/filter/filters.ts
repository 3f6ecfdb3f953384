import { type Connection, hasRules } from "../connection.ts";
import { changeRules } from "../nat/nft.ts";
import { parseFilter } from "./filter-policy.ts";
import { filterRules, ownAddressesRules, tableOf } from "./filter-rules.ts";

/** Code that has taken QEMU over could else send by the namespace's own interfaces; it has no rights to change this. */
const OUTPUT_TABLE = "inet kata-ts-output";
const WITHOUT_OUTPUT = `
add table ${OUTPUT_TABLE}
flush table ${OUTPUT_TABLE}
table ${OUTPUT_TABLE} {
  chain output {
    type filter hook output priority 0; policy drop;
    oifname "lo" accept
  }
}
`;

/** Joins those connections to their interfaces that have rules. @throws NetnsError KATA_NETWORK; none is joined then */
export async function addFilters(namespace: string, connections: readonly Connection[]): Promise<void> {
  const script = connections.filter(hasRules).map((connection) => {
    const { egress, addresses } = connection.rules;
    const ranges = parseFilter(egress);
    return filterRules({ ...connection, addresses }, ranges === "all" ? [] : ranges);
  });
  if (script.length > 0) await changeRules(namespace, script.join(""));
}

/** Idempotent; what cannot be removed is forgiven, as it lets nothing through. */
export async function removeFilters(namespace: string, connections: readonly Connection[]): Promise<void> {
  const tables = connections.filter(hasRules).map(({ index }) => tableOf(index));
  if (tables.length > 0) await changeRules(namespace, removal(tables)).catch(() => undefined);
}

/** From now on no process in the namespace sends anything but to its loopback. @throws NetnsError KATA_NETWORK */
export async function withholdOutput(namespace: string): Promise<void> {
  await changeRules(namespace, WITHOUT_OUTPUT);
}

/** Takes that back. Idempotent. */
export async function allowOutput(namespace: string): Promise<void> {
  await changeRules(namespace, removal([OUTPUT_TABLE])).catch(() => undefined);
}

/** A machine's addresses have changed: from others it may send nothing. @throws NetnsError KATA_NETWORK */
export async function changeOwnAddresses(
  namespace: string,
  connection: Connection,
  addresses: readonly string[],
): Promise<void> {
  if (hasRules(connection)) await changeRules(namespace, ownAddressesRules(connection.index, addresses));
}

/** Deleting needs it to be there. */
function removal(tables: readonly string[]): string {
  return tables.map((table) => `add table ${table}\ndelete table ${table}\n`).join("");
}
