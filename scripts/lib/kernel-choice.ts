import type { KernelChoice } from "@kata-ts/guest-image";

export function parseKernelChoice(text = "auto"): KernelChoice {
  if (text === "auto" || text === "tuned" || text === "distribution") return text;
  throw new Error(`unknown kernel choice ${text}: auto, tuned or distribution`);
}
