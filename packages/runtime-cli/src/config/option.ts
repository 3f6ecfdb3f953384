import * as z from "zod/mini";

/** What people are told of an option. */
export interface OptionDocumentation {
  readonly about: string;
  /** What holds where the option is not given; text in angle brackets for what has no fixed value. */
  readonly initial: string | number | boolean | readonly string[];
  readonly unit?: string;
  /** Names a file or program of the host: no annotation may ever set it. */
  readonly isPath?: boolean;
}

const documentation: z.core.$ZodRegistry<OptionDocumentation> = z.registry<OptionDocumentation>();

/** An option of configuration.toml: its type, and what the page about it says. */
export function option<T extends z.ZodMiniType>(type: T, about: OptionDocumentation): z.ZodMiniOptional<T> {
  const optional = z.optional(type);
  documentation.add(optional, about);
  return optional;
}

export function documentationOf(type: z.core.$ZodType): OptionDocumentation | undefined {
  return documentation.get(type);
}
