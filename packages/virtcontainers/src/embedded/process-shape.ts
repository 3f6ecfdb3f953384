import type { SpecUser } from "@kata-ts/agent-protocol";
import { exactly, type Fields, listOf, matching, optional, type Shape } from "@kata-ts/linux/shape";
import { KataError, reasonOf } from "../errors.ts";
import type { ProcessDefaults } from "./default-spec.ts";
import { type LimitOptions, MAX_TIMEOUT_MS } from "./limit.ts";
import type { ResultOptions } from "./result-options.ts";
import { numbersOf, type UserOption } from "./user.ts";

/** The last id is the kernel's word for "none". */
const MAX_ID = 2 ** 32 - 2;

/** The guest's programs end a text at NUL: what stands behind it would be lost. */
export const plainText: Shape<string> = matching("text without NUL", isPlainText);
export const absolutePath: Shape<string> = matching(
  "an absolute path without NUL",
  (value): value is string => isPlainText(value) && value.startsWith("/"),
);
const variable: Shape<string> = matching(
  "NAME=VALUE without NUL",
  (value): value is string => isPlainText(value) && value.indexOf("=") > 0,
);
const id: Shape<number> = matching(
  `a whole number from 0 to ${String(MAX_ID)}`,
  (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= MAX_ID,
);
const command: Shape<readonly string[]> = (value, place) => {
  const words = listOf(plainText)(value, place);
  if (words[0] === undefined || words[0] === "") throw new TypeError(`${place} names no program`);
  return words;
};

const NAME = "[^:\\s\\0]{1,255}";
const NAMED = new RegExp(`^${NAME}(:${NAME})?$`);

const user: Shape<UserOption> = (value, place) => {
  if (typeof value === "string") {
    if (!NAMED.test(value)) throw new TypeError(`${place} is not USER, USER:GROUP or { uid, gid }`);
    const numbers = numbersOf(value);
    if (numbers !== undefined) for (const [name, number] of Object.entries(numbers)) id(number, `${place}.${name}`);
    return value;
  }
  return exactly<SpecUser>({
    uid: id,
    gid: id,
    additionalGids: optional(listOf(id)),
    username: optional(plainText),
  })(value, place);
};

/** The fields of ProcessDefaults. */
export const PROCESS: Fields<ProcessDefaults> = {
  args: command,
  env: optional(listOf(variable)),
  cwd: optional(absolutePath),
  user: optional(user),
};

/** The fields of LimitOptions. */
export const LIMIT: Fields<LimitOptions> = {
  signal: optional(matching("an AbortSignal", (value): value is AbortSignal => value instanceof AbortSignal)),
  timeoutMs: optional(
    matching(
      `a whole number of milliseconds from 1 to ${String(MAX_TIMEOUT_MS)}`,
      (value): value is number => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_TIMEOUT_MS,
    ),
  ),
};

/** The fields of ResultOptions. */
export const RESULT: Fields<ResultOptions> = {
  ...LIMIT,
  input: optional(
    matching(
      "text or bytes",
      (value): value is string | Uint8Array => typeof value === "string" || value instanceof Uint8Array,
    ),
  ),
  maxBytes: optional(matching("a number from 0", (value): value is number => typeof value === "number" && value >= 0)),
};

export const limitShape: Shape<LimitOptions> = exactly<LimitOptions>(LIMIT);
export const processShape: Shape<ProcessDefaults & LimitOptions> = exactly<ProcessDefaults & LimitOptions>({
  ...PROCESS,
  ...LIMIT,
});
export const resultShape: Shape<ResultOptions> = exactly<ResultOptions>(RESULT);
export const processAndResultShape: Shape<ProcessDefaults & ResultOptions> = exactly<ProcessDefaults & ResultOptions>({
  ...PROCESS,
  ...RESULT,
});

/** @throws KataError KATA_CONFIG: plain JavaScript passes what the types do not allow, and silence would lose it */
export function checkOptions<T>(shape: Shape<T>, options: T, what: string): void {
  try {
    shape(options, what);
  } catch (error) {
    throw new KataError("KATA_CONFIG", reasonOf(error), { cause: error, hint: "see docs/embedding.md" });
  }
}

function isPlainText(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0");
}
