import { readFileSync } from "node:fs";

const RESOLV_CONF = "/etc/resolv.conf";

/** The host's name servers that can be reached from a namespace of its own; undefined where there are none. */
export function reachableResolvers(resolvConf: string = ofHost()): string | undefined {
  const lines = resolvConf.split("\n").filter((line) => !/^\s*nameserver\s+(?:127\.|::1)/.test(line));
  return lines.some((line) => /^\s*nameserver\s/.test(line)) ? `${lines.join("\n").trimEnd()}\n` : undefined;
}

/** A resolver of the container's own, and the domains in which the host looks for short names. */
export function withResolver(address: string, resolvConf: string = ofHost()): string {
  const domains = resolvConf.split("\n").filter((line) => /^\s*(?:search|domain)\s/.test(line));
  return `${[...domains, `nameserver ${address}`].join("\n")}\n`;
}

/** Empty where there is none. */
function ofHost(): string {
  try {
    return readFileSync(RESOLV_CONF, "utf8");
  } catch {
    return "";
  }
}
