import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "qemu-driver", include: ["src/**/*.test.ts", "test/**/*.test.ts"] } });
