import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { logIn } from "@kata-ts/oci-image";
import type { Manual } from "../arguments/manual.ts";
import { type Options, parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { Interruption } from "../verbs/interruption.ts";

export const manual: Manual = {
  operands: "[REGISTRY]",
  options: {
    username: { type: "string", short: "u", value: "NAME", about: "asked for on a terminal by default" },
    password: { type: "string", short: "p", value: "SECRET", about: "others on this machine see it: better asked for" },
    "password-stdin": { type: "boolean", about: "read it from standard input" },
    "plain-http": { type: "boolean", about: "ask the registry by HTTP, without TLS: a registry of one's own" },
  },
  notes: [
    "Asks the registry, docker.io by default, whether it takes them, and keeps them where docker login does: by the helper",
    "that ~/.docker/config.json ($DOCKER_CONFIG) names, else in that file.",
  ],
  examples: ["login -u me ghcr.io", "login -u me --password-stdin localhost:5000 < secret"],
};

export const DEFAULT_REGISTRY = "docker.io";

export const verb: Verb = async (args, { log }) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const [registry = DEFAULT_REGISTRY, ...more] = words;
  if (more.length > 0) throw new UsageError('"login" takes at most 1 argument: a registry');
  using interruption = new Interruption();
  const { signal } = interruption;
  const login = await credentials(options, signal);
  const insecure = options.flag("plain-http") ? { insecure: true } : {};
  const place = await logIn(registry, login, { signal, ...insecure });
  if ("file" in place)
    log.warning(`the password is in ${place.file}, which its owner can read: a credential helper hides it`);
  print(`logged in to ${registry}\n`);
  return 0;
};

async function credentials(
  options: Options,
  signal: AbortSignal,
): Promise<{ readonly username: string; readonly password: string }> {
  const fromInput = options.flag("password-stdin");
  const given = options.text("password");
  if (fromInput && given !== undefined) throw new UsageError("--password and --password-stdin exclude each other");
  if (fromInput && options.text("username") === undefined) throw new UsageError("--password-stdin needs --username");
  const username = options.text("username") ?? (await ask("user name: ", false, signal));
  const password = fromInput
    ? (await text(process.stdin)).replace(/\r?\n$/, "")
    : (given ?? (await ask("password: ", true, signal)));
  if (username === "" || password === "") throw new UsageError("a login needs a user name and a password");
  if (username.includes(":")) throw new UsageError("a user name has no colon");
  return { username, password };
}

/** @throws UsageError without a terminal */
async function ask(question: string, isSecret: boolean, signal: AbortSignal): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError("there is no terminal to ask on: use --username and --password-stdin");
  process.stderr.write(question);
  const output = isSecret ? nowhere() : process.stderr;
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return await terminal.question("", { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    terminal.close();
    if (isSecret) process.stderr.write("\n");
  }
}

/** Where what is typed is not shown. */
function nowhere(): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
}
