import { isIPv6 } from "node:net";
import { NetnsError } from "../errors.ts";
import { type EgressRules, parseEgress } from "../nat/egress-policy.ts";

/** A range of addresses that may be called. */
export interface FilteredRange {
  readonly family: 4 | 6;
  /** Such as `10.1.0.0/16` or `fd00::/8`. */
  readonly range: string;
  /** Of TCP and UDP; undefined: whatever is sent there. */
  readonly port: number | undefined;
}

const V6_BITS = 128;

/**
 * What may be called through interfaces that another program has made.
 *
 * @param entries `all` or `none` alone; or addresses and ranges of both families, each with a port (`10.1.0.0/16:443`, `[fd00::/8]:443`)
 *   if only that is meant
 * @throws NetnsError KATA_NETWORK for an entry that is none, KATA_NETWORK_UNSUPPORTED for a name, each by its text
 */
export function parseFilter(entries: readonly string[]): "all" | readonly FilteredRange[] {
  const whole = entries.find((entry) => entry === "all" || entry === "none");
  if (whole !== undefined && entries.length > 1) throw noEntry(whole, "it goes with no other entry");
  if (whole === "all") return whole;
  return whole === "none" ? [] : entries.map((entry) => rangeOfV6(entry) ?? rangeOfV4(entry));
}

function rangeOfV4(entry: string): FilteredRange {
  const [range] = rulesOf(entry).ranges;
  if (range !== undefined) return { family: 4, ...range };
  throw new NetnsError("KATA_NETWORK_UNSUPPORTED", `egress cannot allow the name ${JSON.stringify(entry)} here`, {
    hint: "of a network that an engine has made addresses and ranges can be allowed; names can be with the network nat of `kata run` and of the library",
  });
}

/** Of those that a network of our own takes. */
function rulesOf(entry: string): EgressRules {
  try {
    const rules = parseEgress({ allow: [entry] });
    if (rules !== "all") return rules;
  } catch {
    // It names forms that are none here.
  }
  throw noEntry(entry);
}

/** @returns undefined for an entry of another kind: one of IPv6 has two colons at least */
function rangeOfV6(entry: string): FilteredRange | undefined {
  if (entry.split(":").length < 3) return undefined;
  const [, bracketed, digits] = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(entry) ?? [];
  const [address = "", length = String(V6_BITS), ...more] = (bracketed ?? entry).split("/");
  const port = digits === undefined ? undefined : Number(digits);
  const isRange = isIPv6(address) && !address.includes("%") && /^\d{1,3}$/.test(length) && more.length === 0;
  if (!isRange || Number(length) > V6_BITS || port === 0 || (port ?? 0) > 65_535) throw noEntry(entry);
  const beyond = (1n << BigInt(V6_BITS - Number(length))) - 1n;
  if ((numberOf(address) & beyond) !== 0n) throw noEntry(entry);
  return { family: 6, range: `${address.toLowerCase()}/${length}`, port };
}

/** An IPv6 address as a number. A URL's host is the form of eight groups, of which zeros in a row are left out. */
export function numberOf(address: string): bigint {
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail = ""] = short.split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const [first, last] = [groups(head), groups(tail)];
  const zeros = short.includes("::") ? Array.from({ length: 8 - first.length - last.length }, () => "0") : [];
  return [...first, ...zeros, ...last].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function noEntry(
  entry: string,
  why = 'an entry is an address or a range ("10.1.0.0/16", "fd00::/8", without bits beyond the prefix), and may have a port ("10.0.0.1:443", "[fd00::/8]:443"); "all" and "none" stand alone',
): NetnsError {
  return new NetnsError("KATA_NETWORK", `egress cannot allow ${JSON.stringify(entry)}`, { hint: why });
}
