import { describe, expect, it } from "vitest";
import { parseGlobals } from "./globals.ts";
import { type OptionTable, parseAnywhere, parseLeading } from "./parse.ts";
import { parseSignal } from "./signal-name.ts";

const TABLE: OptionTable = {
  bundle: { type: "string", short: "b", about: "" },
  force: { type: "boolean", short: "f", about: "" },
  env: { type: "string", short: "e", multiple: true, about: "" },
};

describe("options", () => {
  it.each([
    [["--bundle", "/b", "id"]],
    [["--bundle=/b", "id"]],
    [["-b", "/b", "id"]],
    [["id", "--bundle", "/b"]],
    [["-bundle", "/b", "id"]],
  ])("%j", (args) => {
    const { options, words } = parseAnywhere(args, TABLE);
    expect(options.text("bundle")).toBe("/b");
    expect(words).toEqual(["id"]);
  });

  it("know booleans with a value, and repeated ones", () => {
    const { options } = parseAnywhere(["--force=true", "-e", "A=b=c", "--env", "D="], TABLE);
    expect(options.flag("force")).toBe(true);
    expect(options.list("env")).toEqual(["A=b=c", "D="]);
    expect(parseAnywhere(["--force=false"], TABLE).options.flag("force")).toBe(false);
  });

  it("refuse what is not known", () => {
    expect(() => parseAnywhere(["--nonsense"], TABLE)).toThrow(/--nonsense/);
    expect(() => parseAnywhere(["--bundle"], TABLE)).toThrow(/bundle/);
  });

  it("end at the first word where everything after it belongs to a command", () => {
    const { options, words } = parseLeading(["-e", "A=b", "id", "sh", "-c", "x", "--bundle", "y"], TABLE);
    expect(options.list("env")).toEqual(["A=b"]);
    expect(options.text("bundle")).toBeUndefined();
    expect(words).toEqual(["id", "sh", "-c", "x", "--bundle", "y"]);
  });
});

describe("global options", () => {
  it("stand before the verb, with spaces or equal signs, as engines write them", () => {
    const globals = parseGlobals([
      "--root=/r",
      "--log",
      "/l",
      "--log-format",
      "json",
      "--systemd-cgroup",
      "kill",
      "--all",
      "id",
      "9",
    ]);
    expect(globals).toMatchObject({
      root: "/r",
      log: "/l",
      logFormat: "json",
      verb: "kill",
      rest: ["--all", "id", "9"],
    });
    expect(parseGlobals(["--kata-config", "/c", "state", "x"])).toMatchObject({ config: "/c", verb: "state" });
    expect(parseGlobals(["--config", "/d", "--debug"])).toMatchObject({ config: "/d", debug: true, verb: undefined });
    expect(parseGlobals([])).toMatchObject({ root: "/run/kata-ts/containers", logFormat: "text" });
  });

  it("refuse an unknown log format", () => {
    expect(() => parseGlobals(["--log-format", "xml", "list"])).toThrow('unknown log-format "xml"');
  });
});

describe("signals", () => {
  it.each([
    ["9", 9],
    ["KILL", 9],
    ["SIGKILL", 9],
    ["sigterm", 15],
    ["WINCH", 28],
    ["64", 64],
    ["RTMIN", 34],
    ["SIGRTMIN+3", 37],
    ["RTMAX-1", 63],
  ])("%s is %d", (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });

  it.each(["65", "NOPE", "", "-9", "9.5", "RTMIN+31", "__proto__"])("%j is none", (text) => {
    expect(() => parseSignal(text)).toThrow("unknown signal");
  });
});
