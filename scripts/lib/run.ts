import { execa } from "execa";
import { ROOT } from "./paths.ts";

/** Runs a tool of the workspace with its output shown; rejects when it fails. */
export async function tool(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await execa(name, args, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    preferLocal: true,
    localDir: ROOT,
    env,
  });
}

/** One line for a long step, and how long it took. */
export async function step<T>(name: string, body: () => Promise<T>): Promise<T> {
  const start = performance.now();
  process.stdout.write(`• ${name} …\n`);
  const result = await body();
  process.stdout.write(`  ${name}: ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  return result;
}
