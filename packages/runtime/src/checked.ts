import type * as z from "zod/mini";
import { $ZodError } from "zod/v4/core";
import en from "zod/v4/locales/en.js";

/** Its messages, and no code made of a schema: for one text that takes longer than it saves. */
const ONCE = { jitless: true, error: en().localeError };

/** What a check finds. */
export { $ZodError as CheckError };

/**
 * Checks by a schema of zod/mini, with all of zod's messages. All of zod would take four times as long to load, and every
 * `create` and `exec` checks something.
 *
 * @throws CheckError
 */
export function checked<T>(schema: z.ZodMiniType<T>, value: unknown): T {
  return schema.parse(value, ONCE);
}
