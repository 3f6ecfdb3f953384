import type { PortMapping } from "./network-note.ts";
import { containerPortOf, hostPlaceOf } from "./ports.ts";

/**
 * A container's published ports for a table, as Docker shows them: `0.0.0.0:8000-8010->8000-8010/tcp` where successive ports have the same
 * numbers on both sides, then each of the others by itself.
 */
export function portTexts(ports: readonly PortMapping[]): string[] {
  const ordered = [...ports].sort(compare);
  const runs: PortMapping[][] = [];
  for (const port of ordered.filter(isSameOnBothSides)) {
    const run = runs.find((each) => isNext(each.at(-1), port));
    if (run === undefined) runs.push([port]);
    else run.push(port);
  }
  return [...runs.map(textOfRun), ...ordered.filter((port) => !isSameOnBothSides(port)).map(portText)];
}

/** `0.0.0.0:8080->80/tcp`. */
export function portText(port: PortMapping): string {
  return `${hostPlaceOf(port)}->${containerPortOf(port)}`;
}

function textOfRun(run: readonly PortMapping[]): string {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined || first === last) return run.map(portText).join("");
  const end = `-${String(last.hostPort)}`;
  return `${hostPlaceOf(first)}${end}->${String(first.containerPort)}${end}/${first.protocol}`;
}

function isSameOnBothSides({ hostPort, containerPort }: PortMapping): boolean {
  return hostPort === containerPort;
}

function isNext(last: PortMapping | undefined, port: PortMapping): boolean {
  if (last?.protocol !== port.protocol || last.hostIP !== port.hostIP) return false;
  return last.hostPort + 1 === port.hostPort;
}

function compare(one: PortMapping, other: PortMapping): number {
  return (
    one.containerPort - other.containerPort ||
    (one.hostIP ?? "").localeCompare(other.hostIP ?? "") ||
    one.hostPort - other.hostPort ||
    one.protocol.localeCompare(other.protocol)
  );
}
