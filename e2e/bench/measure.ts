/** A measurement: what was measured, in which unit, and how it compares to a yardstick of the same run. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: "ms" | "MiB" | "MB/s";
  /** Another row's name, and our value divided by its. */
  readonly against?: string;
  readonly ratio?: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Milliseconds that a function takes. */
export async function timed(body: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await body();
  return performance.now() - began;
}

/** The median of several runs; a first run, not counted, warms file caches. */
export async function medianOf(runs: number, body: () => Promise<number>): Promise<number> {
  await body();
  const values: number[] = [];
  for (let run = 0; run < runs; run++) values.push(await body());
  return median(values);
}

export function compare(row: Row, yardstick: Row): Row {
  return { ...row, against: yardstick.what, ratio: row.value / yardstick.value };
}

export function printTable(title: string, rows: readonly Row[]): void {
  process.stdout.write(`\n### ${title}\n\n| what | median | ratio |\n|---|---:|---|\n`);
  for (const { what, value, unit, against, ratio } of rows) {
    const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
    const compared = ratio === undefined ? "" : `${ratio.toFixed(2)}× ${against ?? ""}`;
    process.stdout.write(`| ${what} | ${value.toFixed(digits)} ${unit} | ${compared} |\n`);
  }
}
