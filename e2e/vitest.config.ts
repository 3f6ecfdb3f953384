import { defineConfig } from "vitest/config";

// One file after the other: the leak check looks at the whole host, and two cores run one booting VM well.
export default defineConfig({
  test: {
    name: "e2e",
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: [
      "default",
      "../scripts/lib/test-counts.ts",
      "../scripts/lib/running-test.ts",
      "../scripts/lib/no-hanging-workers.ts",
    ],
  },
});
