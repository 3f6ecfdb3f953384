import type { types } from "@kata-ts/agent-protocol";
import type { Commands } from "../commands.ts";
import { invalidArgument } from "../errors.ts";
import { checkedAddress, checkedName, checkedPrefix, ipBatch, ipJson } from "./ip.ts";

interface GuestRoute {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly table?: string;
  readonly protocol?: string;
  readonly scope?: string;
  readonly prefsrc?: string;
  readonly metric?: number;
  readonly flags?: readonly string[];
  /** Only of IPv6 routes. */
  readonly pref?: string;
  readonly metrics?: readonly Readonly<Record<string, number | string | null>>[];
}

type WantedRoute = types.Route.$Properties;

/** Of both families. */
const ALL = "route show table all";
const RTNH_F_ONLINK = 4;
const SCOPES: Readonly<Record<string, number>> = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 };

/** Replaces all routes but the kernel's own. Those on the link come first: gateways are reached through them. */
export async function updateRoutes(commands: Commands, wanted: readonly WantedRoute[]): Promise<WantedRoute[]> {
  const lines = wanted.map(routeArguments);
  const ordered = [
    ...lines.filter((line) => !line.includes(" via ")),
    ...lines.filter((line) => line.includes(" via ")),
  ];
  const surplus = (await readRoutes(commands)).filter(
    (route) =>
      route.protocol !== "kernel" && route.dev !== "lo" && !wanted.some((candidate) => isSame(route, candidate)),
  );
  const after = await ipBatch<GuestRoute>(commands, "routes", [
    ...surplus.map((route) => `route del ${existing(route)}`),
    ...ordered.map((line) => `route replace ${line}`),
    ALL,
  ]);
  return after.filter(isListed).map(toRoute);
}

export async function listRoutes(commands: Commands): Promise<WantedRoute[]> {
  return (await readRoutes(commands)).map(toRoute);
}

function toRoute(route: GuestRoute): WantedRoute {
  return {
    dest:
      route.dst === "default" ? (isSixth(route) && route.gateway === undefined ? "::/0" : "") : withLength(route.dst),
    gateway: route.gateway ?? "",
    device: route.dev ?? "",
    source: route.prefsrc ?? "",
    scope: SCOPES[route.scope ?? "global"] ?? 0,
    flags: route.flags?.includes("onlink") === true ? RTNH_F_ONLINK : 0,
    metric: route.metric ?? 0,
    attributes: Object.entries(route.metrics?.[0] ?? {}).flatMap(attributeOf),
  };
}

async function readRoutes(commands: Commands): Promise<GuestRoute[]> {
  return (await ipJson<GuestRoute>(commands, ...ALL.split(" "))).filter(isListed);
}

function isListed({ type = "unicast", table = "main" }: GuestRoute): boolean {
  return type === "unicast" && table === "main";
}

function routeArguments({ dest, gateway, device, source, scope, flags, metric, attributes }: WantedRoute): string {
  const words = [(dest ?? "") === "" ? "default" : checkedPrefix(withLength(dest ?? ""))];
  if ((gateway ?? "") !== "") words.push("via", checkedAddress(gateway ?? ""));
  words.push("dev", checkedName(device ?? ""));
  if ((source ?? "") !== "") words.push("src", checkedAddress(source ?? ""));
  // IPv6 routes have no scope.
  if (!words.some((word) => word.includes(":"))) words.push("scope", String(scope ?? 0));
  if ((metric ?? 0) > 0) words.push("metric", String(metric));
  if (((flags ?? 0) & RTNH_F_ONLINK) !== 0) words.push("onlink");
  words.push(...(attributes ?? []).map(checkedAttribute));
  return words.join(" ");
}

/** What may stand in a line for `ip route`: words of its own, and numbers. */
const ATTRIBUTE =
  /^(?:(?:rtt|rttvar|rto_min) \d{1,10}ms|(?:mtu|window|ssthresh|cwnd|advmss|reordering|hoplimit|initcwnd|initrwnd|quickack|fastopen_no_cookie) \d{1,10}|features ecn|pref (?:low|high))$/;

function checkedAttribute(attribute: string): string {
  if (!ATTRIBUTE.test(attribute)) throw invalidArgument(`Bad attribute of a route "${attribute}"`);
  return attribute;
}

function attributeOf([name, value]: [string, number | string | null]): string[] {
  const unit = ["rtt", "rttvar", "rto_min"].includes(name) ? "ms" : "";
  const attribute = name === "ecn" ? "features ecn" : `${name} ${String(value)}${unit}`;
  return ATTRIBUTE.test(attribute) ? [attribute] : [];
}

function existing(route: GuestRoute): string {
  const destination = route.dst === "default" && isSixth(route) ? "::/0" : route.dst;
  const via = route.gateway === undefined ? [] : ["via", route.gateway];
  const metric = route.metric === undefined ? [] : ["metric", String(route.metric)];
  return [destination, ...via, "dev", route.dev ?? "", ...metric].join(" ");
}

function isSame(route: GuestRoute, { dest, gateway, device, metric }: WantedRoute): boolean {
  const destination = route.dst === "default" ? "" : withLength(route.dst);
  const wanted = dest === "::/0" || dest === "0.0.0.0/0" ? "" : withLength(dest ?? "");
  const usual = isSixth(route) ? 1024 : 0;
  return (
    destination === wanted &&
    (route.gateway ?? "") === (gateway ?? "") &&
    route.dev === device &&
    (route.metric ?? 0) === ((metric ?? 0) || usual) &&
    isSixth(route) === [dest, gateway].some((word) => (word ?? "").includes(":"))
  );
}

function isSixth({ dst, gateway, pref }: GuestRoute): boolean {
  return pref !== undefined || dst.includes(":") || gateway?.includes(":") === true;
}

function withLength(destination: string): string {
  if (destination === "" || destination.includes("/")) return destination;
  return `${destination}/${destination.includes(":") ? "128" : "32"}`;
}
