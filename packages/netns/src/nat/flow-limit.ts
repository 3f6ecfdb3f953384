import { readFileSync } from "node:fs";

/** The most that the kernel tracks in each network namespace: of the host's alone it can be written. Not there until a rule needs it. */
const MOST = "/proc/sys/net/netfilter/nf_conntrack_max";
/** So many guests at their limits leave the host nothing. */
const SHARE = 16;
const [LEAST_OF_GUEST, WITHOUT_MOST] = [256, 16_384];

/**
 * How many flows of a guest the kernel may track at a time, in its router and in the host: each packet of another address or port makes
 * one, and a host whose table is full drops the connections of all its programs. Undefined where the kernel tracks nothing yet.
 */
export function flowLimit(path: string = MOST): number | undefined {
  try {
    return flowsOf(Number(readFileSync(path, "latin1")));
  } catch {
    return undefined;
  }
}

/** @param most 0: without end */
export function flowsOf(most: number): number {
  return most > 0 ? Math.max(LEAST_OF_GUEST, Math.floor(most / SHARE)) : WITHOUT_MOST;
}

/**
 * The kernel looks through a list for each flow that is new. One list of all flows of a guest would take it milliseconds, and a guest
 * could have it do nothing else: each flow goes into one of several. Into which is chance, which fills short ones too unlike each other: a guest
 * of few flows would be refused some when it has but a tenth of them.
 */
const [MOST_LISTS, LEAST_LENGTH] = [128, 32];

function listsOf(flows: number): number {
  return Math.min(MOST_LISTS, Math.max(1, Math.floor(flows / LEAST_LENGTH)));
}

/** A key of a set for the counts of the lists of so many flows. */
export function listKey(flows: number): string {
  return `numgen random mod ${String(listsOf(flows))}`;
}

/** A flow without answers stays new, and each of its packets would count: the first is the one that is not in the table yet. */
const FIRST_PACKET = "ct state new ct status & confirmed == 0";

/** A match of nftables for the first packet of a flow that is one too many. @param set a dynamic one; @param key with listKey in it */
export function isTooMany(set: string, key: string, flows: number): string {
  const most = Math.max(1, Math.floor(flows / listsOf(flows)));
  return `${FIRST_PACKET} add @${set} { ${key} ct count over ${String(most)} }`;
}
