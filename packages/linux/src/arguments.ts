/**
 * The arguments of this program. Node obeys some options wherever they stand, also behind the program's name and behind
 * `--`: the launcher of `kata` puts a mark before those, which is taken away here (scripts/lib/launcher.ts). A program of one file has
 * no launcher.
 */
export function programArguments(
  argv: readonly string[] = process.argv,
  execPath: string = process.execPath,
): string[] {
  const given = argv.slice(2);
  if (argv[1] === execPath) return given;
  return given.map((argument) => (/^@+--experimental-/.test(argument) ? argument.slice(1) : argument));
}

/** What starts this program again, but for its arguments, of which Node gets none. In a program of one file the script is that file. */
export function ownCommand(argv: readonly string[] = process.argv, execPath: string = process.execPath): string[] {
  const [, script = ""] = argv;
  return script === execPath ? [execPath] : [execPath, ...process.execArgv, "--", script];
}
