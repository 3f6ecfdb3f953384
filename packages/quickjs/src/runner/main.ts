import { runTests } from "./vitest.ts";

// Behind the file of tests, which has named them by now.
await runTests();
