/** As util.isDeepStrictEqual, for what programs here compare: values, arrays, plain objects and those of classes, dates, patterns, bytes, maps and sets. */
export function isDeepStrictEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  return hasSameContent(left, right) && hasSameProperties(left, right);
}

function hasSameContent(left: object, right: object): boolean {
  if (left instanceof Date) return Object.is(left.getTime(), (right as Date).getTime());
  if (left instanceof RegExp) return left.source === (right as RegExp).source && left.flags === (right as RegExp).flags;
  if (left instanceof Error) return left.message === (right as Error).message && left.name === (right as Error).name;
  if (left instanceof Map) {
    const other = right as ReadonlyMap<unknown, unknown>;
    return left.size === other.size && [...left].every(([key, value]) => hasEntry(other, key, value));
  }
  if (left instanceof Set) {
    const other = right as ReadonlySet<unknown>;
    return left.size === other.size && [...left].every((value) => hasMember(other, value));
  }
  if (Array.isArray(left)) return left.length === (right as unknown[]).length;
  return !ArrayBuffer.isView(left) || left.byteLength === (right as ArrayBufferView).byteLength;
}

function hasEntry(map: ReadonlyMap<unknown, unknown>, key: unknown, value: unknown): boolean {
  if (map.has(key)) return isDeepStrictEqual(map.get(key), value);
  return [...map].some(([other, of]) => isDeepStrictEqual(other, key) && isDeepStrictEqual(of, value));
}

function hasMember(set: ReadonlySet<unknown>, value: unknown): boolean {
  return set.has(value) || [...set].some((other) => isDeepStrictEqual(other, value));
}

/** Enumerable ones of their own, symbols too: the elements of arrays and of typed arrays are among them. */
function hasSameProperties(left: object, right: object): boolean {
  const [names, others] = [left, right].map(keysOf) as [PropertyKey[], PropertyKey[]];
  if (names.length !== others.length) return false;
  return names.every(
    (name) => Object.hasOwn(right, name) && isDeepStrictEqual(Reflect.get(left, name), Reflect.get(right, name)),
  );
}

function keysOf(value: object): PropertyKey[] {
  const symbols = Object.getOwnPropertySymbols(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key),
  );
  return [...Object.keys(value), ...symbols];
}
