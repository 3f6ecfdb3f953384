/** What is read as a tar is none, is cut off, or claims what no tar can hold. */
export class TarError extends Error {
  readonly code = "KATA_TAR";
  override readonly name = "TarError";
}
