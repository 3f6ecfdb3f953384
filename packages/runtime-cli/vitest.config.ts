import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "runtime-cli", include: ["src/**/*.test.ts", "test/**/*.test.ts"] } });
