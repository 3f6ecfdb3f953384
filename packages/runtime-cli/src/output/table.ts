/** Columns of equal width, at least `minimum`, with three spaces between them: Go's tabwriter as runc sets it. */
export function formatTable(rows: readonly (readonly string[])[], minimum = 12): string {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(minimum, ...rows.map((row) => (row[column] ?? "").length + 3)),
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === columns - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("");
  return `${rows.map(line).join("\n")}\n`;
}
