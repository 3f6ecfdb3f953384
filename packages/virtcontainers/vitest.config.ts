import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "virtcontainers", include: ["src/**/*.test.ts", "test/**/*.test.ts"] } });
