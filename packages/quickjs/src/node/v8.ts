/** Options of V8's; there is none here. */
export function setFlagsFromString(): void {
  // It only lets a program ask for the collection of garbage, which vm.ts has.
}
