/** A piece of code that keeps a promise of docs/reliability.md or docs/threat-model.md, and the test that needs it. */
export interface Handler {
  /** What is no longer done without it. */
  readonly name: string;
  readonly file: string;
  /** Found exactly once in the file. */
  readonly code: string;
  readonly without: string;
  /** A suite's file, without its ending, and words of the test's name as a pattern. */
  readonly test: readonly [suite: string, name: string];
}
