/**
 * A QEMU option value: `driver,key=value,…`. QEMU splits at commas and takes a doubled comma as one, so every value is
 * escaped here and nowhere else.
 */
export function option(
  head: string,
  properties: Readonly<Record<string, string | number | boolean | undefined>> = {},
): string {
  const parts = head === "" ? [] : [escapeValue(head)];
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    parts.push(`${key}=${escapeValue(typeof value === "boolean" ? (value ? "on" : "off") : String(value))}`);
  }
  return parts.join(",");
}

function escapeValue(value: string): string {
  if (value.includes("\0")) throw new RangeError("a QEMU option cannot hold a zero byte");
  return value.replaceAll(",", ",,");
}
