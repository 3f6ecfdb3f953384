import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "guest-image", include: ["src/**/*.test.ts", "test/**/*.test.ts"] } });
