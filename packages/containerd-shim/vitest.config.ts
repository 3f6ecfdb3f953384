import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "containerd-shim", include: ["src/**/*.test.ts", "test/**/*.test.ts"] } });
