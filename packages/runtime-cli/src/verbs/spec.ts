import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultSpec, KataError } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";

export const manual: Manual = {
  operands: "",
  options: {
    bundle: { type: "string", short: "b", value: "DIR", about: "where to write it" },
    rootless: { type: "boolean", about: "for callers of runc: not used" },
  },
};

/** runc's example. */
export const verb: Verb = (args) => {
  const { options } = parseAnywhere(args, manual.options);
  const file = join(options.text("bundle") ?? ".", "config.json");
  if (existsSync(file)) throw new KataError("KATA_CONFIG", `File ${file} exists. Remove it first`);
  const spec = defaultSpec({
    args: ["sh"],
    env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
  });
  const process = { ...spec.process, terminal: true };
  const example = { ...spec, process, root: { path: "rootfs", readonly: true }, hostname: "kata" };
  writeFileSync(file, `${JSON.stringify(example, null, "\t")}\n`, { mode: 0o640 });
  return Promise.resolve(0);
};
