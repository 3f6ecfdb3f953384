import { Buffer } from "./buffer.ts";
import { libc } from "./libc.ts";

/** Of struct utsname: six fields of 65 bytes. */
const FIELD = 65;
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "x64", aarch64: "arm64" };

export interface SystemNames {
  readonly sysname: string;
  readonly hostname: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
}

export function systemNames(): SystemNames {
  const names = Buffer.alloc(6 * FIELD);
  libc("uname", names);
  const field = (index: number): string => names.toString("utf8", index * FIELD, names.indexOf(0, index * FIELD));
  return { sysname: field(0), hostname: field(1), release: field(2), version: field(3), machine: field(4) };
}

let known: string | undefined;

/** As Node names it. */
export function architecture(): string {
  if (known === undefined) {
    const { machine } = systemNames();
    known = ARCHITECTURES[machine] ?? machine;
  }
  return known;
}
