import { lackingGlobals } from "@kata-ts/quickjs";

/** What libraries name and do without: smol-toml makes dates of its own by default, and long tries its arithmetic in WebAssembly first. */
const NOT_NEEDED: ReadonlySet<string> = new Set(["Temporal", "WebAssembly"]);

/** What no program of ours may use on the engine. @param engine its program */
export async function engineLacks(engine: string): Promise<string[]> {
  return (await lackingGlobals(engine)).filter((name) => !NOT_NEEDED.has(name));
}
