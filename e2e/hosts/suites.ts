import type { Suite } from "./mirrors.ts";

/** Those that KATA_TEST_HOSTS names, of those that a test is for: all by default. */
export function chosenSuites(all: readonly Suite[]): readonly Suite[] {
  const names = process.env.KATA_TEST_HOSTS?.split(/[\s,]+/).filter(Boolean) ?? [];
  return names.length === 0 ? all : all.filter((suite) => names.includes(suite));
}
