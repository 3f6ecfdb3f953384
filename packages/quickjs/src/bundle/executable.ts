import { chmod, readFile, writeFile } from "node:fs/promises";

/** How native/program.c knows that a program is in front of it. */
const END = "kata-js program\n";

/**
 * Makes one file of the engine and a program, which the kernel starts by itself. All arguments are the program's, and its name is the
 * one that it is called by.
 *
 * @param program bytecode of that very build of the engine, of compileBundle()
 */
export async function makeExecutable(engine: string, program: string, to: string): Promise<void> {
  const bytecode = await readFile(program);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(bytecode.length));
  await writeFile(to, Buffer.concat([await readFile(engine), bytecode, size, Buffer.from(END)]));
  await chmod(to, 0o755);
}
