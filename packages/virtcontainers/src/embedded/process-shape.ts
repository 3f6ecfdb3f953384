import type { SpecUser } from "@kata-ts/agent-protocol";
import { exactly, type Fields, listOf, matching, optional, type Shape } from "@kata-ts/linux/shape";
import { KataError, reasonOf } from "../errors.ts";
import type { ProcessDefaults } from "./default-spec.ts";
import type { ResultOptions } from "./result-options.ts";

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

const user: Shape<SpecUser> = (value, place) => {
  if (typeof value === "string") {
    throw new TypeError(
      `${place} is the name ${JSON.stringify(value)}, not { uid, gid }: Image.process looks names up`,
    );
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

/** The fields of ResultOptions. */
export const RESULT: Fields<ResultOptions> = {
  input: optional(
    matching(
      "text or bytes",
      (value): value is string | Uint8Array => typeof value === "string" || value instanceof Uint8Array,
    ),
  ),
  maxBytes: optional(matching("a number from 0", (value): value is number => typeof value === "number" && value >= 0)),
  signal: optional(matching("an AbortSignal", (value): value is AbortSignal => value instanceof AbortSignal)),
};

export const processShape: Shape<ProcessDefaults> = exactly<ProcessDefaults>(PROCESS);
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
