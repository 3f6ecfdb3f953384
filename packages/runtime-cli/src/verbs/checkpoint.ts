import { KataError } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import type { Verb } from "../context.ts";

export const manual: Manual = {
  operands: "CONTAINER",
  options: {},
};

export const verb: Verb = () => {
  throw new KataError(
    "KATA_UNSUPPORTED",
    "checkpoint is not supported: a container in a virtual machine has no CRIU image",
    {
      hint: "pause and resume keep a container as it is",
    },
  );
};
