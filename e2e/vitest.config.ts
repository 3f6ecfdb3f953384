import { defineConfig } from "vitest/config";

// One file after the other: the leak check looks at the whole host, and two cores run one booting VM well.
export default defineConfig({
  test: {
    name: "e2e",
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    fileParallelism: false,
    // As a command of a test: the trial of KVM alone may take four minutes, where a guest gets on slowly under it.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: [
      "default",
      "../scripts/lib/test-counts.ts",
      "../scripts/lib/running-test.ts",
      "../scripts/lib/no-hanging-workers.ts",
    ],
  },
});
