// Loaded before a program's own code (`node --import`): tells about the process, once per line, over descriptor 3.
import { writeSync } from "node:fs";
import { threadCpuUsage } from "node:process";

const TELL_MS = 50;
const TOLD = 3;

let longestTurn = 0;
let last = threadCpuUsage();
// Counts the processor's time, not the clock's: a busy machine does not make a turn longer.
function turn(): void {
  const now = threadCpuUsage();
  longestTurn = Math.max(longestTurn, (now.user + now.system - last.user - last.system) / 1000);
  last = now;
  setImmediate(turn).unref();
}

function tell(): void {
  const told = { residentBytes: process.memoryUsage.rss(), longestTurnMs: longestTurn };
  longestTurn = 0;
  try {
    writeSync(TOLD, `${JSON.stringify(told)}\n`);
  } catch {
    // The test is gone; the program under test is ended by its own means.
  }
}

setInterval(tell, TELL_MS).unref();
// What a program takes to load and to begin is none of its turns.
setImmediate(() => {
  last = threadCpuUsage();
  turn();
}).unref();
process.on("exit", tell);
