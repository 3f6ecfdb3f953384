/** A package and the version of it that the archive offers. */
export interface Candidate {
  readonly name: string;
  readonly version: string;
}
