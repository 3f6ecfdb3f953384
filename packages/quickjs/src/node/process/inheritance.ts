import { tryLibc } from "../libc.ts";

const FIOCLEX = 0x5451;
const F_GETFD = 1;
const O_RDWR = 2;
/** A caller's descriptors are dense, as a rule: the first gap behind these ends the search, as it does Node's. */
const ALWAYS_LOOKED_AT = 16;

/** What this program was started with is not passed on to what it starts, unless it is named. */
export function keepDescriptors(): void {
  for (let fd = 0; tryLibc("ioctl", fd, FIOCLEX) === 0 || fd < ALWAYS_LOOKED_AT; fd++);
}

/** As Node: where a caller has closed a standard stream, what is opened first would be written to in its place. */
export function fillStandardStreams(): void {
  for (const fd of [0, 1, 2]) if (tryLibc("fcntl", fd, F_GETFD, 0) < 0) tryLibc("open", "/dev/null", O_RDWR);
}
