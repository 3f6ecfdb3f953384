import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MUTANTS } from "./mutants/index.ts";
import { ROOT } from "./paths.ts";

/** Whether each mutant can still be applied: its code stands once in its file, and its suite exists. @throws Error */
export function checkMutants(): void {
  const stale = MUTANTS.flatMap(({ name, file, code, test: [suite] }) => {
    const path = join(ROOT, file);
    const places = existsSync(path) ? readFileSync(path, "utf8").split(code).length - 1 : 0;
    return [
      ...(places === 1 ? [] : [`${name}: its code stands ${String(places)} times in ${file}`]),
      ...(existsSync(join(ROOT, `${suite}.test.ts`)) ? [] : [`${name}: there is no suite ${suite}`]),
    ];
  });
  if (stale.length > 0) throw new Error(`mutants that cannot be applied:\n${stale.join("\n")}`);
}
