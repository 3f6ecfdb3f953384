import type { Configuration } from "../config/configuration.ts";
import type { Context } from "../context.ts";

/** What the ports of a runtime are made from. */
export interface Composition {
  readonly context: Context;
  /** What the options ask for; read when it is first asked for. @throws KataError KATA_CONFIG */
  readonly configuration: () => Promise<Configuration>;
  readonly warn: (message: string) => void;
}
