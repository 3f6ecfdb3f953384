import { parseArgs } from "node:util";
import { describe, expect, it } from "vitest";

const OPTIONS = {
  name: { type: "string", short: "n" },
  flag: { type: "boolean", short: "f" },
  list: { type: "string", short: "l", multiple: true },
  more: { type: "boolean", multiple: true },
  given: { type: "string", default: "usual" },
} as const;
const USUAL = { given: "usual" };

describe("arguments", () => {
  it.each([
    [["--name", "a", "word", "--name=b", "-f"], { name: "b", flag: true, ...USUAL }, ["word"]],
    [["-n", "a", "-"], { name: "a", ...USUAL }, ["-"]],
    [["-fna", "-fn", "-b=c", "-l=x", "-ly"], { flag: true, name: "-b=c", list: ["=x", "y"], ...USUAL }, []],
    [["--list=", "--list", "", "--more", "--more"], { list: ["", ""], more: [true, true], ...USUAL }, []],
    [["--given", "own", "--", "--name", "--", "-f"], { given: "own" }, ["--name", "--", "-f"]],
    [
      ["--other=1", "--other", "-x", "--flag=no", "--name"],
      { other: true, x: true, flag: "no", name: true, ...USUAL },
      [],
    ],
    [["--=a", "---", "", "--toString"], { "=a": true, "-": true, toString: true, ...USUAL }, [""]],
  ] as const)("%j are options by name and words", (args, values, words) => {
    const parsed = parseArgs({ args: [...args], options: OPTIONS, strict: false });
    expect([{ ...parsed.values }, parsed.positionals]).toEqual([values, words]);
  });

  it("come one by one, with their places", () => {
    const args = ["a", "-fn", "b", "--list=c", "--name", "d", "-x", "--", "-e", "f"];
    const { tokens } = parseArgs({ args, options: OPTIONS, strict: false, tokens: true });
    const option = (index: number, name: string, rawName: string, value?: string, inlineValue?: boolean) =>
      value === undefined
        ? { kind: "option", index, name, rawName }
        : { kind: "option", index, name, rawName, value, inlineValue };
    expect(
      tokens.map((token) => Object.fromEntries(Object.entries(token).filter(([, value]) => value !== undefined))),
    ).toEqual([
      { kind: "positional", index: 0, value: "a" },
      option(1, "flag", "-f"),
      option(1, "name", "-n", "b", false),
      option(3, "list", "--list", "c", true),
      option(4, "name", "--name", "d", false),
      option(6, "x", "-x"),
      { kind: "option-terminator", index: 7 },
      { kind: "positional", index: 8, value: "-e" },
      { kind: "positional", index: 9, value: "f" },
    ]);
  });

  const hint = (name: string) =>
    `Unknown option '${name}'. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- "${name}"`;

  it.each([
    [["--other"], true, "UNKNOWN_OPTION", hint("--other")],
    [["-fx"], false, "UNKNOWN_OPTION", "Unknown option '-x'"],
    [["--toString"], false, "UNKNOWN_OPTION", "Unknown option '--toString'"],
    [
      ["word"],
      false,
      "UNEXPECTED_POSITIONAL",
      "Unexpected argument 'word'. This command does not take positional arguments",
    ],
    [["--name"], true, "INVALID_OPTION_VALUE", "Option '-n, --name <value>' argument missing"],
    [["--more=1"], true, "INVALID_OPTION_VALUE", "Option '--more' does not take an argument"],
    [
      ["--name", "-f"],
      true,
      "INVALID_OPTION_VALUE",
      `Option '--name' argument is ambiguous.
Did you forget to specify the option argument for '--name'?
To specify an option argument starting with a dash use '--name=-XYZ'.`,
    ],
    [
      ["-n", "--flag"],
      true,
      "INVALID_OPTION_VALUE",
      `Option '-n' argument is ambiguous.
Did you forget to specify the option argument for '-n'?
To specify an option argument starting with a dash use '--name=-XYZ' or '-n-XYZ'.`,
    ],
  ] as const)("%j are refused", (args, allowPositionals, code, message) => {
    const parse = () => parseArgs({ args: [...args], options: OPTIONS, allowPositionals });
    expect(parse).toThrow(expect.objectContaining({ code: `ERR_PARSE_ARGS_${code}`, message }));
  });

  it("are of options that can be", () => {
    expect(() => parseArgs({ args: [], options: { a: { type: "number" as never } } })).toThrow(/options\.a\.type/);
    expect(() => parseArgs({ args: [], options: { a: { type: "string", short: "ab" } } })).toThrow(/options\.a\.short/);
  });
});
