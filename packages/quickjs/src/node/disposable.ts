/** `using` needs these symbols, and the built-in objects that can be disposed of have them. */
export function completeSymbols(): void {
  for (const name of ["dispose", "asyncDispose"] as const) {
    if (Object.hasOwn(Symbol, name)) continue;
    Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) });
  }
}
