import { defineConfig } from "vitest/config";

// Each file makes hosts of its own: one after the other, so that two never build at once.
export default defineConfig({
  test: {
    name: "hosts",
    include: ["hosts/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 45 * 60_000,
    hookTimeout: 20 * 60_000,
    reporters: ["default", "../scripts/lib/test-counts.ts"],
  },
});
