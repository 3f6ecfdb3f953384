import { KataError } from "@kata-ts/virtcontainers/records";
import type { Verb } from "../main.ts";

export const verb: Verb = () => {
  throw new KataError(
    "KATA_UNSUPPORTED",
    "checkpoint is not supported: a container in a virtual machine has no CRIU image",
    {
      hint: "pause and resume keep a container as it is",
    },
  );
};
