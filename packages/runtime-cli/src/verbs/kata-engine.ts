import { KataError } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import type { ContainerdShim } from "../engines/containerd.ts";
import { ENGINES, SNIPPETS } from "../engines/engines.ts";
import { print } from "../output/print.ts";

const NAMES = Object.keys(SNIPPETS).join(", ");
/** Engines that reach runtimes by containerd's shims. */
const WITH_SHIMS: readonly string[] = ["containerd", "docker"];

export const manual: Manual = {
  operands: "ENGINE",
  options: {
    write: { type: "boolean", about: "write it into the engine's configuration" },
    remove: { type: "boolean", about: "take out what --write has put there" },
    shim: {
      type: "string",
      value: "SHIM",
      about: "for containerd and docker: runc (containerd's own, the default) or v2 (ours)",
    },
    file: { type: "string", value: "FILE", about: "another file than the usual one" },
    program: { type: "string", value: "PROGRAM", about: "the engine's own, which checks what is written" },
  },
  notes: [
    `Engines: ${NAMES}.`,
    "What is there stays. containerd and dockerd read the new file before it replaces the old one.",
  ],
  examples: [
    "kata-engine docker",
    "kata-engine docker --write",
    "kata-engine containerd --shim v2 --write",
    "kata-engine docker --shim v2 --write",
    "kata-engine containerd --remove",
  ],
};

/** Prints the configuration by which an engine knows this runtime; with `--write`, writes it, with `--remove`, takes it back. */
export const verb: Verb = async (args, { installation: { runtime } }) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const [name = "", ...more] = words;
  const snippet = Object.hasOwn(SNIPPETS, name) ? SNIPPETS[name] : undefined;
  if (snippet === undefined || more.length > 0) throw new UsageError(`"kata-engine" requires one of ${NAMES}`);
  const [write, remove] = [options.flag("write"), options.flag("remove")];
  if (write && remove) throw new UsageError("--write and --remove exclude each other");
  const shim = shimOf(options.text("shim"), name);
  const engine = ENGINES[name];
  const file = options.text("file") ?? engine?.file ?? "";
  if (!write && !remove) {
    print(snippet(runtime, file, shim));
    return 0;
  }
  if (engine === undefined) {
    throw new KataError("KATA_CONFIG", `${name} has no file for this`, { hint: "give kubectl apply what is printed" });
  }
  const place = { file, program: options.text("program") ?? engine.program };
  if (write) {
    await engine.write(place, runtime, shim);
    print(`${file} is written: ${engine.afterWrite}\n`);
  } else {
    const found = await engine.remove(place, runtime);
    print(found ? `${file} knows no runtime kata any more: restart the engine\n` : `${file} knew no runtime kata\n`);
  }
  return 0;
};

function shimOf(shim: string | undefined, engine: string): ContainerdShim {
  if (shim === undefined) return "runc";
  if (!WITH_SHIMS.includes(engine)) {
    throw new UsageError(`--shim is for ${WITH_SHIMS.join(" and ")}: ${engine} calls kata-runtime`);
  }
  if (shim !== "runc" && shim !== "v2") throw new UsageError(`--shim ${shim}: runc and v2 are there`);
  return shim;
}
