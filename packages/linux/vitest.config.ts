import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "linux", include: ["src/**/*.test.ts", "test/**/*.test.ts"] } });
