import { constants } from "node:os";
import { UsageError } from "./parse.ts";

const MAX_SIGNAL = 64;
const RTMIN = 34;

/** `KILL`, `SIGKILL`, `9`, `RTMIN+3`: a signal's number. @throws UsageError */
export function parseSignal(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number <= MAX_SIGNAL) return number; // 0 asks whether there is a process
    throw new UsageError(`unknown signal "${text}"`);
  }
  const name = text.toUpperCase().replace(/^SIG/, "");
  const known = (constants.signals as Readonly<Record<string, number>>)[`SIG${name}`];
  if (known !== undefined) return known;
  const realTime = /^RT(MIN\+|MAX-)(\d+)$/.exec(name);
  if (name === "RTMIN") return RTMIN;
  if (name === "RTMAX") return MAX_SIGNAL;
  if (realTime !== null) {
    const number = realTime[1] === "MIN+" ? RTMIN + Number(realTime[2]) : MAX_SIGNAL - Number(realTime[2]);
    if (number >= RTMIN && number <= MAX_SIGNAL) return number;
  }
  throw new UsageError(`unknown signal "${text}"`);
}
