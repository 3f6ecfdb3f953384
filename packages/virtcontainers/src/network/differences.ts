import { isDeepStrictEqual } from "node:util";
import type { Endpoint, JournalEntry, NamespaceScan } from "@kata-ts/netns";
import { guestInterface, guestRoute } from "./guest-view.ts";
import { type InterfaceNote, type KnownInterface, knownInterfaces } from "./known-interface.ts";

/** What has changed in a namespace since the guest was last told. */
export interface Differences {
  readonly added: readonly Endpoint[];
  readonly gone: readonly KnownInterface[];
  readonly changed: readonly {
    readonly index: number;
    readonly note: InterfaceNote;
    readonly interfaceChanged: boolean;
  }[];
}

/**
 * Interfaces are recognised by their index, which stays when they are renamed. Those whose addresses are in the guest
 * only, those that were plugged in by hand, and those whose card is on its way out, are left as they are.
 */
export function differences(scan: NamespaceScan, entries: readonly JournalEntry[]): Differences {
  const known = knownInterfaces(entries);
  const journalled = new Set(entries.map(({ connection }) => connection.index));
  const there = new Set(scan.links.map(({ index }) => index));
  return {
    added: scan.endpoints.filter(({ index }) => !journalled.has(index)),
    gone: known.filter(({ index, passed }) => !passed && !there.has(index)),
    changed: known
      .filter(({ emptied, note }) => !emptied && !note.manual && note.leaving !== true)
      .flatMap((item) => changesOf(item, scan)),
  };
}

function changesOf({ index, note }: KnownInterface, scan: NamespaceScan): Differences["changed"] {
  const endpoint = [...scan.endpoints, ...scan.idle].find((candidate) => candidate.index === index);
  if (endpoint === undefined) return [];
  const told = guestInterface(endpoint, note.nic.where);
  const routes = scan.routes.filter(({ device }) => device === endpoint.name).map(guestRoute);
  const interfaceChanged = !isDeepStrictEqual(told, note.told);
  if (!interfaceChanged && isDeepStrictEqual(routes, note.routes)) return [];
  return [{ index, note: { ...note, told, routes }, interfaceChanged }];
}
