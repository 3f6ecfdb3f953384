/** What `ip -j route` calls a route's metrics: names and numbers; `ecn` is there with null. */
export type RouteMetrics = Readonly<Record<string, number | string | null>>;

/** Attributes that `ip route` takes by the names that it prints, with a number. */
const NUMBERS: ReadonlySet<string> = new Set([
  ...["mtu", "window", "rtt", "rttvar", "rto_min", "ssthresh", "cwnd", "advmss", "reordering", "hoplimit"],
  ...["initcwnd", "initrwnd", "quickack", "fastopen_no_cookie"],
]);

/** Without a unit, `ip route` reads these in another unit than it prints. */
const TIMES: ReadonlySet<string> = new Set(["rtt", "rttvar", "rto_min"]);

/** As `ip route` takes them: `mtu 1400`. */
export function routeAttributes(metrics: RouteMetrics): string[] {
  return Object.entries(metrics).flatMap(([name, value]) => {
    if (name === "ecn") return ["features ecn"];
    if (!NUMBERS.has(name) || typeof value !== "number") return [];
    return [`${name} ${String(value)}${TIMES.has(name) ? "ms" : ""}`];
  });
}

/** The names of the others, which a guest may not have: algorithms of congestion control are the kernel's. */
export function lostMetrics(metrics: RouteMetrics): string[] {
  return Object.entries(metrics).flatMap(([name, value]) =>
    name === "ecn" || (NUMBERS.has(name) && typeof value === "number") ? [] : [name],
  );
}
