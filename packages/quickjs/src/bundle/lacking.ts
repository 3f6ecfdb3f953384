import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { bundle } from "./bundle.ts";
import { compileBundle } from "./compile.ts";

/** Prints all globals, and the members of each that is an object or a function; of those that are getters it reads two. */
const PRINT = `
const found = new Set();
for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(globalThis))) {
  found.add(name);
  const value = ["process", "Buffer"].includes(name) ? globalThis[name] : descriptor.value;
  if (value === globalThis || value === null || !["object", "function"].includes(typeof value)) continue;
  for (let holder = value; holder !== null && ![Object.prototype, Function.prototype].includes(holder); holder = Object.getPrototypeOf(holder)) {
    for (const member of Object.getOwnPropertyNames(holder)) found.add(name + "." + member);
  }
}
console.log(JSON.stringify([...found]));
`;

const known: Map<string, Promise<readonly string[]>> = new Map();

/**
 * The globals of this Node that the engine does not have, such as `fetch`, and members of those that it has, such as `Promise.try`.
 *
 * @param engine its program
 */
export function lackingGlobals(engine: string): Promise<readonly string[]> {
  let lacking = known.get(engine);
  if (lacking === undefined) {
    lacking = compare(engine);
    known.set(engine, lacking);
  }
  return lacking;
}

async function compare(engine: string): Promise<readonly string[]> {
  const directory = await mkdtemp(join(tmpdir(), "kata-js-globals-"));
  try {
    const [source, bundled, program] = ["source.mjs", "bundled.js", "program.kjs"].map((name) =>
      join(directory, name),
    ) as [string, string, string];
    await writeFile(source, PRINT);
    await bundle([source], bundled);
    await compileBundle(engine, bundled, program);
    const [nodes, engines] = [await namesPrintedBy(process.execPath, source), await namesPrintedBy(engine, program)];
    return [...nodes].filter((name) => isLacking(name, engines) && /^[\w$]+(\.[\w$]+)?$/.test(name));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Members of what is not there at all are not named. */
function isLacking(name: string, engines: ReadonlySet<string>): boolean {
  const [holder = "", member] = name.split(".");
  return !engines.has(name) && (member === undefined || engines.has(holder));
}

async function namesPrintedBy(program: string, file: string): Promise<ReadonlySet<string>> {
  const { stdout } = await execa(program, [file]);
  const names: unknown = JSON.parse(stdout);
  return new Set(names as string[]); // Of PRINT, a moment ago.
}
