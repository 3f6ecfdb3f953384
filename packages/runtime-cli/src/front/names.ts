import { isIP } from "node:net";
import { UsageError } from "../arguments/parse.ts";

const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const HOST = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
/** Linux has no room for more. */
const MAX_HOSTNAME = 64;

/** @throws UsageError */
export function parseHostname(text: string | undefined): string | undefined {
  if (text === undefined || (HOST.test(text) && text.length <= MAX_HOSTNAME)) return text;
  throw new UsageError(
    `--hostname takes letters, digits, - and . in ${String(MAX_HOSTNAME)} characters, not "${text}"`,
  );
}

/** A line of /etc/hosts. */
export interface AddedHost {
  readonly name: string;
  readonly address: string;
}

/** `NAME:ADDRESS`, or `NAME=ADDRESS`; an IPv6 address may have its brackets. @throws UsageError */
export function parseAddedHost(text: string): AddedHost {
  const [, name = "", given = ""] = /^([^:=]+)[:=](.+)$/.exec(text) ?? [];
  const address = given.replace(/^\[(.*)\]$/, "$1");
  if (HOST.test(name) && isIP(address) !== 0) return { name, address };
  throw new UsageError(`--add-host takes NAME:ADDRESS, such as db:10.0.0.2, not "${text}"`);
}
