import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "netns", include: ["src/**/*.test.ts", "test/**/*.test.ts"] } });
