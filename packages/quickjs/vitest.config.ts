import { defineProject } from "vitest/config";

export default defineProject({
  test: { name: "quickjs", include: ["src/**/*.test.ts", "compliance/**/*.test.ts", "test/**/*.test.ts"] },
});
