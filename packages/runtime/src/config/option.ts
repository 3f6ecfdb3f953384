import * as z from "zod/mini";

/** The documentation of an option. */
export interface OptionDocumentation {
  readonly about: string;
  /** What holds where the option is not given; text in angle brackets for what has no fixed value. */
  readonly initial: string | number | boolean | readonly string[];
  readonly unit?: string;
  /** Names a file or program of the host, or decides what annotations may do: an annotation sets it only within `validPaths`. */
  readonly hostOnly?: boolean;
  /** The option that lists, as globs, what an annotation may set this one to. */
  readonly validPaths?: string;
  /** Kata 1.x has it, and here it changes nothing: `about` says why. */
  readonly hasNoEffect?: boolean;
}

/** The options of one section with their types. */
export type ShapeOf<T> = { readonly [K in keyof T]-?: z.ZodMiniOptional<z.ZodMiniType<Exclude<T[K], undefined>>> };

const documentation: z.core.$ZodRegistry<OptionDocumentation> = z.registry<OptionDocumentation>();

/** An option of configuration.toml: its type, and what the page about it says. */
export function option<T extends z.ZodMiniType>(type: T, about: OptionDocumentation): z.ZodMiniOptional<T> {
  const optional = z.optional(type);
  documentation.add(optional, about);
  return optional;
}

/** An option that Kata 1.x's files may have, of the right type, and that changes nothing here. */
export function withoutEffect<T extends z.ZodMiniType>(type: T, why: string): z.ZodMiniOptional<T> {
  return option(type, { about: why, initial: "<>", hasNoEffect: true });
}

/** `false`, and what `true` is answered with. */
export function neverTrue(reason: string): z.ZodMiniType<boolean> {
  return z.boolean().check(z.refine((value) => !value, reason));
}

export function documentationOf(type: z.core.$ZodType): OptionDocumentation | undefined {
  return documentation.get(type);
}
