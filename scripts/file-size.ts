// `file-size`: no source file over 500 lines; those over 300 are named. Generated code and test vectors do not count.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const LIMIT = 500;
const LONG = 300;

const files = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "*.mjs", "*.cjs"],
  { encoding: "utf8" },
)
  .split("\n")
  .filter((file) => file !== "" && !file.includes("/vectors/"));
const lengths = files.map((file) => ({ file, lines: readFileSync(file, "utf8").split("\n").length - 1 }));
for (const { file, lines } of lengths) if (lines > LONG) process.stdout.write(`${file}: ${String(lines)} lines\n`);
const tooLong = lengths.filter(({ lines }) => lines > LIMIT);
if (tooLong.length > 0) {
  process.stderr.write(`over ${String(LIMIT)} lines: ${tooLong.map(({ file }) => file).join(", ")}\n`);
  process.exitCode = 1;
}
