import { closeSync, constants, openSync } from "node:fs";
import { zeroed } from "./abi.ts";
import { call } from "./native.ts";

/** Settings of the whole machine, which the agent changes in its guest. */
export function setHostname(name: string): void {
  call("int sethostname(const char *name, size_t length)", name, name, Buffer.byteLength(name));
}

export function setDateTime(seconds: number, microseconds: number): void {
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(BigInt(seconds), 0);
  time.writeBigInt64LE(BigInt(microseconds), 8);
  call("int settimeofday(const void *time, const void *zone)", "", time, null);
}

const NANOSECONDS = 1_000_000_000;
const ADJ_SETOFFSET = 0x0100;
const ADJ_NANO = 0x2000;
const ADJ_OFFSET_SINGLESHOT = 0x8001;

/** Moves the clock at once. @param milliseconds forward; back where it is negative */
export function stepClock(milliseconds: number): void {
  const timex = zeroed("timex");
  timex.writeUInt32LE(ADJ_SETOFFSET | ADJ_NANO, 0);
  const nanoseconds = Math.round(milliseconds * 1_000_000);
  const seconds = Math.floor(nanoseconds / NANOSECONDS);
  timex.writeBigInt64LE(BigInt(seconds), 72);
  timex.writeBigInt64LE(BigInt(nanoseconds - seconds * NANOSECONDS), 80);
  call("int adjtimex(void *buffer)", "ADJ_SETOFFSET", timex);
}

/** Lets the clock run faster, or slower, by a two-thousandth until it has made up for so much. In place of what was left of an earlier call. */
export function slewClock(milliseconds: number): void {
  const timex = zeroed("timex");
  timex.writeUInt32LE(ADJ_OFFSET_SINGLESHOT, 0);
  timex.writeBigInt64LE(BigInt(Math.round(milliseconds * 1000)), 8);
  call("int adjtimex(void *buffer)", "ADJ_OFFSET_SINGLESHOT", timex);
}

/** Milliseconds since 1970, with a fraction. */
export function wallClock(): number {
  const time = Buffer.alloc(16);
  call("int clock_gettime(int clock, void *time)", "CLOCK_REALTIME", 0, time);
  return Number(time.readBigInt64LE(0)) * 1000 + Number(time.readBigInt64LE(8)) / 1_000_000;
}

const RNDADDENTROPY = 0x4008_5203;
const RNDRESEEDCRNG = 0x5207;

/** Credits these bytes to the kernel's random pool as full entropy, and reseeds its generator. */
export function addEntropy(data: Uint8Array): void {
  const request = Buffer.alloc(8 + data.length);
  request.writeInt32LE(data.length * 8, 0);
  request.writeInt32LE(data.length, 4);
  request.set(data, 8);
  const fd = openSync("/dev/random", constants.O_WRONLY);
  try {
    call("int ioctl(int fd, unsigned long request, void *argument)", "RNDADDENTROPY", fd, RNDADDENTROPY, request);
    call("int ioctl(int fd, unsigned long request, void *argument)", "RNDRESEEDCRNG", fd, RNDRESEEDCRNG, null);
  } finally {
    closeSync(fd);
  }
}
