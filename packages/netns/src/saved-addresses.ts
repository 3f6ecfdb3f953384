import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { howToInstall, inNamespace, SYSTEM_PATH } from "@kata-ts/linux";
import type { MacvtapConnection, SavedAddresses } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import { NetnsError } from "./errors.ts";
import { runBatch } from "./iproute.ts";

const ENVIRONMENT = { PATH: SYSTEM_PATH, LANG: "C" };
const DEADLINE_MS = 10_000;

/** Everything about an interface that goes with its addresses or its MAC address. */
export async function saveAddresses(namespace: string, { name }: Pick<Endpoint, "name">): Promise<SavedAddresses> {
  const addresses = await ip(namespace, ["addr", "save", "dev", name]);
  const questions = ["route show table all", "neigh show nud permanent", "neigh show proxy"];
  const lines = (await runBatch("ip", namespace, questions, { flags: ["-o"] })).split("\n");
  const ofLink = lines.map(plain).filter((line) => line.split(" ").includes(name));
  const isNeighbour = (line: string): boolean => line.includes(" lladdr ") || line.endsWith(" proxy");
  const routes = ofLink.filter((line) => !isNeighbour(line) && !line.includes(" proto kernel"));
  return {
    addresses: addresses.toString("base64"),
    routes: routes.sort((one, other) => Number(one.includes(" via ")) - Number(other.includes(" via "))),
    neighbours: ofLink.filter(isNeighbour).map(neighbourArguments),
  };
}

/** Gives it all back; what is there is left as it is. */
export async function restoreAddresses(namespace: string, connection: MacvtapConnection): Promise<void> {
  const { saved } = connection;
  await withoutDuplicateDetection(namespace, connection.link, async () => {
    await ip(namespace, ["addr", "restore"], Buffer.from(saved.addresses, "base64"));
  });
  const commands = [
    ...saved.routes.map((route) => `route replace ${route}`),
    ...saved.neighbours.map((neighbour) => `neigh replace ${neighbour}`),
  ];
  await runBatch("ip", namespace, commands, { force: true });
}

const SETTLE_MS = 1_000;

/** The addresses were the interface's own before: it need not ask for a second whether anybody else has them. */
async function withoutDuplicateDetection(namespace: string, link: string, body: () => Promise<void>): Promise<void> {
  const setting = `/proc/sys/net/ipv6/conf/${link}/accept_dad`;
  const before = inNamespace("net", namespace, () =>
    existsSync(setting) ? readFileSync(setting, "latin1") : undefined,
  );
  const set = (value: string): void => {
    inNamespace("net", namespace, () => {
      if (existsSync(setting)) writeFileSync(setting, value);
    });
  };
  if (before !== undefined) set("0");
  try {
    await body();
    const giveUpAt = performance.now() + SETTLE_MS;
    const tentative = ["-6", "addr", "show", "dev", link, "tentative"];
    while ((await ip(namespace, tentative)).length > 0 && performance.now() < giveUpAt);
  } finally {
    if (before !== undefined) set(before);
  }
}

/** What `ip` prints about a route and does not read. */
function plain(line: string): string {
  const words = line
    .replaceAll("\\", " ")
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "linkdown" && word !== "dead");
  const expires = words.indexOf("expires");
  if (expires !== -1) words.splice(expires, 2);
  // Only IPv6 routes have a preference, and a default route alone does not tell its family.
  if (words[0] === "default" && words.includes("pref")) words[0] = "::/0";
  return words.join(" ");
}

// `neigh show` prints states and flags in capitals and as words of its own order.
function neighbourArguments(line: string): string {
  const words = line.split(" ");
  const device = words[words.indexOf("dev") + 1] ?? "";
  if (words.at(-1) === "proxy") return `proxy ${words[0] ?? ""} dev ${device}`;
  const mac = words[words.indexOf("lladdr") + 1] ?? "";
  const flags = ["router", "extern_learn"].filter((flag) => words.includes(flag));
  return [words[0], "lladdr", mac, "dev", device, "nud", "permanent", ...flags].join(" ");
}

async function ip(namespace: string, args: readonly string[], input = Buffer.alloc(0)): Promise<Buffer> {
  const child = inNamespace("net", namespace, () =>
    spawn("ip", args, { stdio: ["pipe", "pipe", "ignore"], env: ENVIRONMENT, timeout: DEADLINE_MS }),
  );
  const failed: Promise<never> = new Promise((_, reject) => {
    child.once("error", (error) => {
      reject(new NetnsError("KATA_NETWORK", `ip: ${error.message}`, { hint: howToInstall("iproute2") }));
    });
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return Promise.race([buffer(child.stdout), failed]);
}
