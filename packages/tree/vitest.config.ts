import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "tree", include: ["src/**/*.test.ts", "test/**/*.test.ts"] } });
