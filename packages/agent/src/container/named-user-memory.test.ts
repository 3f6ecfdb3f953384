import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

// In a file of its own: it is for V8, whose memory can be bounded by an option.
it("a user is looked for among a million lines in little memory", { timeout: 60_000 }, async () => {
  const program = `
    import { findUser } from ${JSON.stringify(join(import.meta.dirname, "named-user.ts"))};
    const lines = "\\n".repeat(2 ** 20);
    const files = async (file) => lines + (file === "/etc/passwd" ? "web:x:7:8::/:/bin/sh" : "more:x:9:web");
    console.log(JSON.stringify(await findUser("web", files)));`;
  const node = ["--max-old-space-size=48", "--input-type=module", "-e", program];
  const { stdout } = await promisify(execFile)(process.execPath, node);
  expect(JSON.parse(stdout)).toEqual({ uid: 7, gid: 8, additionalGids: [9] });
});
