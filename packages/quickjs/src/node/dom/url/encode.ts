import { Buffer } from "../../buffer.ts";

/** Beyond what no URL has as it is: control characters, and all beyond ASCII. */
const CONTROL = "";
const FRAGMENT = ' "<>`';
const QUERY = ' "#<>';
const PATH = `${QUERY}?^\`{}`;

/** What is written as `%XX`, by the part of a URL. */
export const ENCODED = {
  control: CONTROL,
  fragment: FRAGMENT,
  query: QUERY,
  specialQuery: `${QUERY}'`,
  path: PATH,
  user: `${PATH}/:;=@[\\]|`,
} as const;

/** A text with the characters of a set, and those that no URL has, as `%XX` of their UTF-8. What is `%XX` already stays. */
export function percentEncode(text: string, set: string): string {
  // A text that needs nothing is most of them.
  if (!Array.from(text).some((character) => isEncoded(character, set))) return text;
  return Array.from(text, (character) => (isEncoded(character, set) ? hexOf(character) : character)).join("");
}

function isEncoded(character: string, set: string): boolean {
  return character < " " || character > "~" || set.includes(character);
}

function hexOf(character: string): string {
  return Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** A mark that is followed by no two hexadecimal digits stands for itself, and what is no UTF-8 for U+FFFD. */
export function percentDecode(text: string): string {
  const bytes = text.split(/((?:%[0-9a-f]{2})+)/i);
  return bytes
    .map((part, index) => (index % 2 === 0 ? part : Buffer.from(part.replaceAll("%", ""), "hex").toString("utf8")))
    .join("");
}
