import { defineConfig } from "vitest/config";

// One file after the other: a host takes both processors, and each file has one of its own.
export default defineConfig({
  test: {
    name: "lab",
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    fileParallelism: false,
    // Longer than a script may take: its own end says what it has written until then.
    testTimeout: 2_700_000,
    hookTimeout: 1_200_000,
    reporters: [
      "default",
      "../../scripts/lib/test-counts.ts",
      "../../scripts/lib/running-test.ts",
      "../../scripts/lib/no-hanging-workers.ts",
    ],
  },
});
