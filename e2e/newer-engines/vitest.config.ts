import { defineConfig } from "vitest/config";

// What only the engines of later releases have; KATA_TEST_ENGINES names the release.
export default defineConfig({
  test: {
    name: "newer-engines",
    include: ["newer-engines/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ["default", "../scripts/lib/test-counts.ts", "../scripts/lib/no-hanging-workers.ts"],
  },
});
