import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: ["packages/*"],
    pool: "forks",
    maxWorkers: 2,
    reporters: [
      "default",
      "./scripts/lib/test-counts.ts",
      "./scripts/lib/running-test.ts",
      "./scripts/lib/no-hanging-workers.ts",
    ],
  },
});
