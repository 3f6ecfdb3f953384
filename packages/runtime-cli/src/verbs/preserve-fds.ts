import { KataError } from "@kata-ts/virtcontainers/records";
import type { Options } from "../arguments/parse.ts";

/** A descriptor of the host means nothing in another kernel. @throws KataError KATA_UNSUPPORTED */
export function refusePreservedFds(options: Options): void {
  const count = options.text("preserve-fds") ?? "0";
  if (count === "0") return;
  throw new KataError(
    "KATA_UNSUPPORTED",
    `--preserve-fds ${count}: descriptors cannot be passed into a virtual machine`,
    {
      hint: "mount the file or socket into the container instead",
    },
  );
}
