import { listOf, object, optional, parseShape, type Shape, text } from "@kata-ts/linux/shape";
import { type Egress, parseEgress } from "@kata-ts/netns/nat";
import type { HeldNetwork, HeldNetworkRequest } from "./held-network.ts";
import { portMapping } from "./network-note.ts";

/** What the process that keeps a network reads: one line of JSON. */
export interface Order extends HeldNetworkRequest {
  /** The container that it is for. */
  readonly id: string;
}

/** What it answers: one line of JSON. */
export type Answer = { readonly network: HeldNetwork } | { readonly failure: string };

const rules = object<{ readonly allow: readonly string[] }>({ allow: listOf(text) });

const egress: Shape<Egress> = (value, place) => {
  const wanted = value === "all" || value === "none" ? value : rules(value, place);
  parseEgress(wanted);
  return wanted;
};

const orderShape = object<Order>({ id: text, namespace: text, bundle: text, ports: listOf(portMapping), egress });

const answerShape = object<{ readonly network?: HeldNetwork; readonly failure?: string }>({
  network: optional(
    object<HeldNetwork>({ address: text, gateway: text, ports: listOf(portMapping), warnings: listOf(text) }),
  ),
  failure: optional(text),
});

/** @throws TypeError */
export function parseOrder(line: string): Order {
  return parseShape(orderShape, line, "the order for a network");
}

/** @throws TypeError */
export function parseAnswer(line: string): { readonly network?: HeldNetwork; readonly failure?: string } {
  return parseShape(answerShape, line, "the answer about a network");
}
