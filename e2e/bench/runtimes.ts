import { join } from "node:path";
import { Kata } from "../harness/kata.ts";
import { cacheSettled } from "../harness/leaks.ts";

/** The runtimes that are measured. */
export interface Runtimes {
  readonly booting: Kata;
  readonly cloning: Kata;
  /** One VM waits for it from the first call on. */
  readonly caching: () => Promise<Kata>;
}

/** Measures with them, and takes back what they have made. */
export async function withRuntimes(measure: (runtimes: Runtimes) => Promise<void>): Promise<void> {
  await using booting = new Kata();
  await using cloning = new Kata();
  await using waiting = new Kata();
  const factory = `enable_template = true\ntemplate_path = "${join(cloning.directory, "templates")}"\n`;
  cloning.globals = ["--config", cloning.file("configuration.toml", `[factory]\n${factory}`)];
  waiting.globals = ["--config", waiting.file("configuration.toml", `[factory]\n${factory}vm_cache_number = 1\n`)];
  await cloning.ok(["factory", "init"]);
  const caching = async (): Promise<Kata> => {
    await waiting.ok(["factory", "init"]);
    return waiting;
  };
  try {
    await measure({ booting, cloning, caching });
  } finally {
    await cacheSettled();
    await cloning.ok(["factory", "destroy"]);
  }
}
