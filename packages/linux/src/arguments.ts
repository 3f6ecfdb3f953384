/**
 * The arguments of this program. Node obeys some options wherever they stand, also behind the program's name and behind
 * `--`: the launcher scripts put a mark before those, which is taken away here (scripts/lib/launcher.ts).
 */
export function programArguments(argv: readonly string[] = process.argv): string[] {
  return argv.slice(2).map((argument) => (/^@+--experimental-/.test(argument) ? argument.slice(1) : argument));
}
