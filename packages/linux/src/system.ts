import { closeSync, constants, openSync } from "node:fs";
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
