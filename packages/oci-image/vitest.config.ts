import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "oci-image", include: ["src/**/*.test.ts", "test/**/*.test.ts"] } });
