import { tryLibc } from "../libc.ts";

const FIOCLEX = 0x5451;
/** A caller's descriptors are dense, as a rule: the first gap behind these ends the search, as it does Node's. */
const ALWAYS_LOOKED_AT = 16;

/** What this program was started with is not passed on to what it starts, unless it is named. */
export function keepDescriptors(): void {
  for (let fd = 0; tryLibc("ioctl", fd, FIOCLEX) === 0 || fd < ALWAYS_LOOKED_AT; fd++);
}
