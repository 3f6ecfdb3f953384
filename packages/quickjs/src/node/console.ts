import { Buffer } from "./buffer.ts";
import { format } from "./format.ts";
import { writeAll } from "./process/output.ts";

function printer(fd: number): (...args: unknown[]) => void {
  return (...args) => {
    writeAll(fd, Buffer.from(`${format(...args)}\n`));
  };
}

export const console = { log: printer(1), info: printer(1), debug: printer(1), warn: printer(2), error: printer(2) };
