import { NetnsError } from "../errors.ts";
import { formatSubnet, parseSubnet } from "./ipv4.ts";

/** What a sandbox may call: everything, nothing, or names and ranges, each with a port if only that is meant. */
export type Egress = "all" | "none" | { readonly allow: readonly string[] };

/** An entry of a list, understood. */
interface AllowedName {
  /** In lower case; of `*.example.org` it is `example.org`. */
  readonly name: string;
  /** Names below it, and not itself. */
  readonly isWildcard: boolean;
  /** Undefined: all. */
  readonly port: number | undefined;
}

interface AllowedRange {
  /** Such as `10.1.0.0/16`. */
  readonly range: string;
  readonly port: number | undefined;
}

export interface EgressRules {
  readonly names: readonly AllowedName[];
  readonly ranges: readonly AllowedRange[];
}

const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** @throws NetnsError KATA_NETWORK for an entry that is none, by its text */
export function parseEgress(egress: Egress): "all" | EgressRules {
  if (egress === "all") return egress;
  const rules = { names: [] as AllowedName[], ranges: [] as AllowedRange[] };
  for (const entry of egress === "none" ? [] : egress.allow) {
    const [, target = "", , digits] = /^([^:]*)(:(\d{1,5}))?$/.exec(entry) ?? [];
    const port = digits === undefined ? undefined : Number(digits);
    if (port === 0 || (port ?? 0) > 65_535) throw noEntry(entry);
    const isWildcard = target.startsWith("*.");
    const name = (isWildcard ? target.slice(2) : target).toLowerCase();
    const range = parseSubnet(target);
    if (range !== undefined) rules.ranges.push({ range: formatSubnet(range), port });
    else if (NAME.test(name) && !/(?:^|\.)\d+$/.test(name)) rules.names.push({ name, isWildcard, port });
    else throw noEntry(entry);
  }
  return rules;
}

function noEntry(entry: string): NetnsError {
  return new NetnsError("KATA_NETWORK", `egress cannot allow ${JSON.stringify(entry)}`, {
    hint: 'an entry is a name ("example.org"), all names below one ("*.example.org"), or an IPv4 address or range ("10.1.0.0/16", without bits beyond the prefix), and may end with a port (":443")',
  });
}

/** The ports that a name's addresses may be called at, `undefined` among them for all; empty: the name is not allowed. */
export function allowedPorts({ names }: EgressRules, name: string): readonly (number | undefined)[] {
  const wanted = name.toLowerCase();
  return names
    .filter((each) => (each.isWildcard ? wanted.endsWith(`.${each.name}`) : wanted === each.name))
    .map(({ port }) => port);
}
