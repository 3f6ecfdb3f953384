// `npm run lab -- up SUITE`: a host with our build, until it is interrupted; prints its directory.
// `npm run lab -- in DIRECTORY SCRIPT`: runs a shell script in it, as root; `-` reads the script from standard input.
// `npm run lab -- run SUITE SCRIPT`: both, for one script.
import { text } from "node:stream/consumers";
import { resumeKataHost } from "./kata-host.ts";
import { LAB_PORTS, socketOf } from "./machine.ts";
import { runScript } from "./script-port.ts";
import { HOST_SUITES, type HostSuite } from "./suites.ts";

const HOUR_MS = 3_600_000;

const [verb, where = "", script = "-"] = process.argv.slice(2);
if (verb === "up") await up(suiteOf(where));
else if (verb === "in") await inside(where, await scriptOf(script));
else if (verb === "run") await runOnce(suiteOf(where), await scriptOf(script));
else usage();

async function up(suite: HostSuite): Promise<void> {
  await using host = await resumeKataHost(suite);
  process.stdout.write(`${host.directory}\n`);
  await new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, resolve);
  });
}

async function inside(directory: string, body: string): Promise<void> {
  const port = process.env.LAB_PORT ?? LAB_PORTS[0] ?? "";
  const { status, output } = await runScript(socketOf(directory, port), body, HOUR_MS);
  process.stdout.write(output);
  process.exitCode = status;
}

async function runOnce(suite: HostSuite, body: string): Promise<void> {
  await using host = await resumeKataHost(suite);
  const { status, output } = await host.run(body, HOUR_MS);
  process.stdout.write(output);
  process.exitCode = status;
}

async function scriptOf(word: string): Promise<string> {
  return word === "-" ? text(process.stdin) : word;
}

function suiteOf(word: string): HostSuite {
  return HOST_SUITES.find((suite) => suite === word) ?? usage();
}

function usage(): never {
  process.stderr.write(
    `usage: lab up SUITE | in DIRECTORY SCRIPT | run SUITE SCRIPT; suites: ${HOST_SUITES.join(", ")}\n`,
  );
  process.exit(2);
}
