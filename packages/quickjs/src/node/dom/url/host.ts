import { nodeError } from "../../errors.ts";
import { groupsText, ipv6Bytes } from "../../net/ip.ts";
import { ENCODED, percentDecode, percentEncode } from "./encode.ts";

const FORBIDDEN = /[\0\t\n\r #/:<>?@[\\\]^|]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what no domain has.
const FORBIDDEN_IN_DOMAIN = /[\0-\x1f %\x7f]/;
const BEYOND_ASCII = /[^\0-\x7f]/;

/**
 * A host as it is written in a URL. A name's letters are small, and an address has its shortest form, in URLs of the schemes that the
 * web has; hosts of other schemes stay as they are.
 *
 * @returns undefined for what is no host. @throws TypeError for a name beyond ASCII: the tables that it takes are not in the engine
 */
export function hostOf(text: string, isSpecial: boolean): string | undefined {
  if (text.startsWith("[")) return text.endsWith("]") ? ipv6Host(text.slice(1, -1)) : undefined;
  if (!isSpecial) return FORBIDDEN.test(text) ? undefined : percentEncode(text, ENCODED.control);
  const name = percentDecode(text);
  if (BEYOND_ASCII.test(name)) {
    const message = `URL: the host ${name} is not ASCII, which this engine does not translate; write it as xn--`;
    throw nodeError("ERR_FEATURE_UNAVAILABLE_ON_PLATFORM", message, TypeError);
  }
  if (name === "" || FORBIDDEN.test(name) || FORBIDDEN_IN_DOMAIN.test(name)) return undefined;
  const lower = name.toLowerCase();
  return endsInNumber(lower) ? ipv4Host(lower) : lower;
}

function ipv6Host(text: string): string | undefined {
  const bytes = text.includes("%") ? undefined : ipv6Bytes(text);
  return bytes === undefined ? undefined : `[${groupsText(Uint8Array.from(bytes))}]`;
}

/** Then it is an address of IPv4, or no host at all. */
function endsInNumber(name: string): boolean {
  const last = partsOf(name).at(-1) ?? "";
  return /^(?:\d+|0x[0-9a-f]*)$/.test(last);
}

function partsOf(name: string): string[] {
  const parts = name.split(".");
  return parts.length > 1 && parts.at(-1) === "" ? parts.slice(0, -1) : parts;
}

/** Up to four numbers, decimal, octal or hexadecimal, of which the last one fills what is left. */
function ipv4Host(name: string): string | undefined {
  const parts = partsOf(name);
  const numbers = parts.map(numberOf);
  const last = numbers.pop() ?? Number.NaN;
  const isAddress = numbers.length <= 3 && numbers.every((each) => each <= 255) && last < 256 ** (4 - numbers.length);
  if (!isAddress) return undefined;
  const value = numbers.reduce((sum, each, index) => sum + each * 256 ** (3 - index), last);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Not a number for what is none, which no comparison lets pass. */
function numberOf(text: string): number {
  if (/^0x[0-9a-f]*$/.test(text)) return text === "0x" ? 0 : Number.parseInt(text.slice(2), 16);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN;
}
