// Child processes of scripts/boot.mjs. Signals of the terminal or of CI reach them.
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const running = new Set();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
  });
}

/** Runs a command with this process's streams. @returns its status */
export function run(command, args, options = {}) {
  return start(command, args, { stdio: "inherit", ...options }).ended;
}

/** Runs a command whose output is wanted. @returns its status, and both its streams as text */
export async function capture(command, args, options = {}) {
  const { child, ended } = start(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const texts = { stdout: "", stderr: "", output: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (chunk) => {
      texts[name] += chunk;
      texts.output += chunk;
    });
  }
  return { status: await ended, ...texts };
}

/** Runs a command whose output matters only when it fails: then all of it is shown, and this process ends. */
export async function must(what, command, args, options) {
  const { status, output } = await capture(command, args, options).catch((error) => ({
    status: 127,
    output: error.code === "ENOENT" ? `${command} is not installed` : error.message,
  }));
  if (status === 0) return;
  fail(`${what} failed with status ${String(status)}: ${command} ${args.join(" ")}\n${output.trimEnd()}`);
}

export function fail(message) {
  console.error(`kata-ts: ${message}`);
  process.exit(1);
}

function start(command, args, options) {
  const child = spawn(command, args, { cwd: ROOT, ...options });
  running.add(child);
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve(signal === null ? code : 128);
    });
  }).finally(() => running.delete(child));
  return { child, ended };
}
