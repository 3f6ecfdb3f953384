/** A change that removes one promise of docs/reliability.md or docs/threat-model.md, and the test that has to notice. */
export interface Mutant {
  /** What the code no longer does. */
  readonly name: string;
  readonly file: string;
  /** Found exactly once in the file. */
  readonly code: string;
  readonly without: string;
  /** A suite's file, without its ending, and words of the test's name as a pattern. */
  readonly test: readonly [suite: string, name: string];
}
