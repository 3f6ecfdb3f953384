import { closeSync, constants, openSync } from "node:fs";
import { zeroed } from "./abi.ts";
import { call } from "./native.ts";

const IOCTL = "int ioctl(int fd, unsigned long request, void *argument)";
const IOCTL_VALUE = "int ioctl(int fd, unsigned long request, long argument)";
const TIOCSCTTY = 0x540e;
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const TIOCGPTPEER = 0x5441;
const TIOCSPTLCK = 0x4004_5431;
const CONTROL_CHARACTERS = 17;
const VTIME = 5;
const VMIN = 6;
const TCSADRAIN = 1;
const POLLHUP = 0x10;

/** Both ends of a pseudo terminal: descriptors, to be closed. */
export interface TerminalPair {
  readonly master: number;
  readonly slave: number;
}

/** A new pseudo terminal. Neither end becomes anybody's controlling terminal by it. */
export function openTerminal(): TerminalPair {
  const { O_NOCTTY, O_RDWR } = constants;
  const master = openSync("/dev/ptmx", O_RDWR | O_NOCTTY);
  try {
    call(IOCTL, "TIOCSPTLCK", master, TIOCSPTLCK, Buffer.alloc(4));
    // By descriptor, not by path: which devpts is mounted where does not matter.
    return { master, slave: call(IOCTL_VALUE, "TIOCGPTPEER", master, TIOCGPTPEER, O_RDWR | O_NOCTTY | 0o2000000) };
  } catch (error) {
    closeSync(master);
    throw error;
  }
}

/** A terminal's size in characters; zeros where none was set. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

export function windowSize(fd: number): WindowSize {
  const size = Buffer.alloc(8);
  call(IOCTL, "TIOCGWINSZ", fd, TIOCGWINSZ, size);
  return { rows: size.readUInt16LE(0), columns: size.readUInt16LE(2) };
}

/** Its foreground processes get SIGWINCH if that is a change. */
export function setWindowSize(fd: number, { rows, columns }: WindowSize): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  call(IOCTL, "TIOCSWINSZ", fd, TIOCSWINSZ, size);
}

/** Makes a terminal the controlling one of this process, which has to lead its session and have none. */
export function setControllingTerminal(fd: number): void {
  call(IOCTL_VALUE, "TIOCSCTTY", fd, TIOCSCTTY, 0);
}

/** A terminal's modes as they were, to be set again. */
export type TerminalModes = Buffer;

/** Bytes then pass unchanged in both directions: no echo, no lines, no signals. @returns the modes before */
export function makeRaw(fd: number): TerminalModes {
  const before = zeroed("termios");
  call("int tcgetattr(int fd, void *modes)", String(fd), fd, before);
  setModes(fd, rawModes(before));
  return before;
}

/** What cfmakeraw(3) does, by struct termios: input, output, control and local flags, line, control characters. */
function rawModes(before: TerminalModes): TerminalModes {
  const raw = Buffer.from(before);
  const clear = (offset: number, flags: number): void => {
    raw.writeUInt32LE((raw.readUInt32LE(offset) & ~flags) >>> 0, offset);
  };
  clear(0, 0o2753); // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
  clear(4, 0o1); // OPOST
  clear(8, 0o460); // CSIZE PARENB
  clear(12, 0o100113); // ISIG ICANON ECHO ECHONL IEXTEN
  raw.writeUInt32LE((raw.readUInt32LE(8) | 0o60) >>> 0, 8); // CS8
  raw.writeUInt8(0, CONTROL_CHARACTERS + VTIME);
  raw.writeUInt8(1, CONTROL_CHARACTERS + VMIN);
  return raw;
}

export function setModes(fd: number, modes: TerminalModes): void {
  call("int tcsetattr(int fd, int when, const void *modes)", String(fd), fd, TCSADRAIN, modes);
}

/** True when the other end of a terminal, pipe or socket is gone. */
export function isHungUp(fd: number): boolean {
  const entry = Buffer.alloc(8);
  entry.writeInt32LE(fd, 0);
  call("int poll(void *entries, unsigned long count, int timeout)", String(fd), entry, 1, 0);
  return (entry.readInt16LE(6) & POLLHUP) !== 0;
}
