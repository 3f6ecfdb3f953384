// What tests import of vitest, for the engine: `vitest` is resolved to this file when a test is bundled.

import { format } from "../node/format.ts";
import { appendFileSync } from "../node/fs.ts";
import { errorText } from "../node/inspect.ts";
import process from "../node/process.ts";
import { clearTimeout, setTimeout } from "../node/timers.ts";

export { expect } from "./expect.ts";

type Body = (...args: unknown[]) => unknown;

interface Group {
  readonly name: string;
  readonly parent: Group | undefined;
  readonly beforeAll: Body[];
  readonly afterAll: Body[];
  readonly beforeEach: Body[];
  readonly afterEach: Body[];
  readonly parts: (Group | Test)[];
}

interface Test {
  readonly name: string;
  readonly body: Body;
  readonly limitMs: number;
}

const LIMIT_MS = 10_000;

let current: Group = groupIn(undefined, "");
const top = current;

function groupIn(parent: Group | undefined, name: string): Group {
  return { name, parent, beforeAll: [], afterAll: [], beforeEach: [], afterEach: [], parts: [] };
}

function describeGroup(name: string, ...rest: unknown[]): void {
  const body = rest.findLast((part) => typeof part === "function") as Body;
  const parent = current;
  current = groupIn(parent, name);
  parent.parts.push(current);
  try {
    body();
  } finally {
    current = parent;
  }
}

function addTest(name: string, ...rest: unknown[]): void {
  const body = rest.find((part) => typeof part === "function") as Body;
  const options = rest.find((part) => typeof part === "number" || (typeof part === "object" && part !== null));
  const { timeout }: { readonly timeout?: number } =
    typeof options === "number" ? { timeout: options } : { ...options };
  current.parts.push({ name, body, limitMs: timeout ?? LIMIT_MS });
}

type Add = (name: string, ...rest: unknown[]) => void;
type AddEach = (cases: readonly unknown[]) => Add;

/** @param spread whether the elements of a case that is a list are the body's arguments */
function eachOf(add: Add, spread: boolean): AddEach {
  return (cases) =>
    (name, ...rest) => {
      for (const each of cases) {
        const args: unknown[] = spread && Array.isArray(each) ? (each as unknown[]) : [each];
        const bound = rest.map((part) => (typeof part === "function" ? () => (part as Body)(...args) : part));
        add(titleOf(name, args), ...bound);
      }
    };
}

/** `%s` and the like, and `$name` of a case that is an object. */
function titleOf(name: string, args: readonly unknown[]): string {
  const [first] = args;
  const fields = typeof first === "object" && first !== null ? (first as Readonly<Record<string, unknown>>) : {};
  const named = name.replace(/\$(\w+)/g, (mark, field: string) => (field in fields ? String(fields[field]) : mark));
  return named.includes("%") ? format(named, ...args.slice(0, named.match(/%[sdifjoO]/g)?.length ?? 0)) : named;
}

interface Adder extends Add {
  each: AddEach;
  for: AddEach;
}

export const describe: Adder = Object.assign(describeGroup, {
  each: eachOf(describeGroup, true),
  for: eachOf(describeGroup, false),
});
export const it: Adder = Object.assign(addTest, { each: eachOf(addTest, true), for: eachOf(addTest, false) });

export function beforeAll(body: Body): void {
  current.beforeAll.push(body);
}
export function afterAll(body: Body): void {
  current.afterAll.push(body);
}
export function beforeEach(body: Body): void {
  current.beforeEach.push(body);
}
export function afterEach(body: Body): void {
  current.afterEach.push(body);
}

/** Runs all tests of the file, in their order. Each result is a line of JSON in the file that KATA_JS_RESULTS names. */
export async function runTests(): Promise<void> {
  await runGroup(top, []);
  process.exit(0);
}

async function runGroup(group: Group, names: readonly string[]): Promise<void> {
  for (const body of group.beforeAll) await body();
  for (const part of group.parts) {
    if ("parts" in part) await runGroup(part, [...names, part.name]);
    else report([...names, part.name].join(" > "), await outcomeOf(part, group));
  }
  for (const body of group.afterAll) await body();
}

async function outcomeOf({ body, limitMs }: Test, group: Group): Promise<string | undefined> {
  const groups: Group[] = [];
  for (let each: Group | undefined = group; each !== undefined; each = each.parent) groups.unshift(each);
  const finished: Body[] = [];
  const context = { onTestFinished: (done: Body) => finished.unshift(done) };
  try {
    for (const { beforeEach: bodies } of groups) for (const each of bodies) await each();
    await within(limitMs, body(context));
    return undefined;
  } catch (error) {
    return error instanceof Error ? errorText(error) : String(error);
  } finally {
    for (const each of finished) await each();
    for (const { afterEach: bodies } of groups.reverse()) for (const each of bodies) await each();
  }
}

function within(limitMs: number, body: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`it was not over after ${String(limitMs)} ms`));
    }, limitMs);
    Promise.resolve(body)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
      });
  });
}

function report(name: string, failure: string | undefined): void {
  appendFileSync(process.env.KATA_JS_RESULTS ?? "/dev/stdout", `${JSON.stringify({ name, failure })}\n`);
}
