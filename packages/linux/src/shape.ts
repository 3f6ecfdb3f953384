/**
 * Checks a value that one of our own programs wrote, and returns it as it is. A schema library says more about a mistake
 * than such a file needs, and loading it took a sixth of a `state` (docs/adr/0006).
 *
 * @throws TypeError that names the first place where the value is something else
 */
export type Shape<T> = (value: unknown, place: string) => T;

/**
 * Parses JSON that one of our own programs wrote, and checks it.
 *
 * @param place what errors call the whole, such as the file's path
 * @throws SyntaxError, TypeError for a text that is damaged, or of another version
 */
export function parseShape<T>(shape: Shape<T>, json: string, place: string): T {
  return shape(JSON.parse(json), place);
}

/** A shape for each field. */
export type Fields<T> = {
  readonly [Key in keyof T]-?: Shape<Partial<Pick<T, Key>> extends Pick<T, Key> ? T[Key] | undefined : T[Key]>;
};

export const text: Shape<string> = matching("text", (value) => typeof value === "string");
export const flag: Shape<boolean> = matching("true or false", (value) => typeof value === "boolean");
/** JSON has infinite ones, too: 1e999. */
export const quantity: Shape<number> = matching("a number", (value): value is number => Number.isFinite(value));
/** Counts from 0. */
export const count: Shape<number> = matching(
  "a whole number from 0",
  (value): value is number => isWhole(value) && value >= 0,
);
export const positive: Shape<number> = matching(
  "a whole number from 1",
  (value): value is number => isWhole(value) && value >= 1,
);
export const anyObject: Shape<object> = matching("an object", isObject);

export function oneOf<const T>(...values: readonly T[]): Shape<T> {
  return matching(`one of ${values.join(", ")}`, (value): value is T => values.includes(value as T));
}

/** As one of several objects, told apart by the value of a field. */
export function variants<Name extends string, T extends Readonly<Record<Name, unknown>>>(
  name: Name,
  ...shapes: readonly (readonly [tag: T[Name], shape: Shape<T>])[]
): Shape<T> {
  return (value, place) => {
    const found = (anyObject(value, place) as Readonly<Record<string, unknown>>)[name];
    const variant = shapes.find(([tag]) => tag === found);
    if (variant === undefined) throw mismatch(`${place}.${name}`, `one of ${shapes.map(([tag]) => tag).join(", ")}`);
    return variant[1](value, place);
  };
}

/** null, or a value of this shape. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, place) => (value === null ? null : shape(value, place));
}

/** Not there; there as null it is refused. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, place) => (value === undefined ? undefined : shape(value, place));
}

export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw mismatch(place, "a list");
    for (const [index, each] of value.entries()) shape(each, `${place}[${String(index)}]`);
    return value as readonly T[];
  };
}

export function mapOf<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, place) => {
    for (const [key, each] of Object.entries<unknown>({ ...anyObject(value, place) })) shape(each, `${place}.${key}`);
    return value as Readonly<Record<string, T>>;
  };
}

/** With these fields; what else is there stays. */
export function object<T>(shapes: Fields<T>): Shape<T> {
  const known = Object.entries<Shape<unknown>>(shapes);
  return (value, place) => {
    const found = anyObject(value, place) as Readonly<Record<string, unknown>>;
    for (const [key, shape] of known) shape(found[key], `${place}.${key}`);
    return value as T;
  };
}

/** With these fields and no others: for what a caller may have misspelt. */
export function exactly<T>(shapes: Fields<T>): Shape<T> {
  const fields = object(shapes);
  return (value, place) => {
    const known = fields(value, place);
    for (const [key, each] of Object.entries<unknown>({ ...anyObject(value, place) })) {
      if (Object.hasOwn(shapes, key) || each === undefined) continue;
      throw new TypeError(`${place} has no option ${JSON.stringify(key)} (known: ${Object.keys(shapes).join(", ")})`);
    }
    return known;
  };
}

/** Any object: for a part that the program which takes it checks itself. */
export function anyObjectAs<T extends object>(): Shape<T> {
  return (value, place) => anyObject(value, place) as T;
}

/** Not checked here: values of other libraries' classes, and documents with a schema of their own. */
export function anything<T>(): Shape<T> {
  return (value) => value as T;
}

/** Values that a predicate accepts; `what` describes them in errors. */
export function matching<T>(what: string, is: (value: unknown) => value is T): Shape<T> {
  return (value, place) => {
    if (is(value)) return value;
    throw mismatch(place, what);
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function mismatch(place: string, what: string): TypeError {
  return new TypeError(`${place} is not ${what}`);
}
