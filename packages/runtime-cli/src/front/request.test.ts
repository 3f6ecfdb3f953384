import { describe, expect, it } from "vitest";
import { parseLeading } from "../arguments/parse.ts";
import { parseRequest, parseVariables } from "./request.ts";
import { manual } from "./run.ts";

describe("what kata run is asked for", () => {
  const parse = (...args: readonly string[]) =>
    parseRequest(parseLeading(args, manual.options).options, { OWN: "a=b" });

  it("is understood before anything is fetched", () => {
    const asked = parse(
      "-v",
      "/tmp:/x:ro",
      "-e",
      "A=b",
      "-e",
      "OWN",
      "-e",
      "MISSING",
      "-m",
      "64m",
      "--cpus",
      "1.5",
      "-w",
      "/srv",
    );
    expect(asked).toMatchObject({
      volumes: [{ source: "/tmp", destination: "/x", options: ["rbind", "ro"] }],
      env: ["A=b", "OWN=a=b"],
      cwd: "/srv",
      resources: { memory: { limit: 64 * 2 ** 20 }, cpu: { quota: 150_000 } },
    });
    expect(parse("--rm", "-i", "--plain-http").ports).toEqual([]);
  });

  it.each<[string, readonly string[], string]>([
    ["a volume that is not there", ["-v", "/nonexistent/x:/x"], "there is no /nonexistent/x"],
    ["a volume without a place", ["-v", "/tmp"], "--volume takes"],
    ["a port twice", ["-p", "80:1", "-p", "80:2"], "host port 80/tcp twice"],
    ["a port twice, once of one address", ["-p", "80:1", "-p", "127.0.0.1:80:2"], "host port 80/tcp twice"],
    ["a network of another kind", ["--network", "host"], "--network takes bridge or none"],
    ["a port without a network", ["--network", "none", "-p", "80:80"], "--publish needs a network"],
    ["a variable without a name", ["-e", "=x"], "--env takes"],
    ["a relative directory", ["-w", "srv"], "--workdir takes an absolute path"],
    ["no processor at all", ["--cpus", "0"], "--cpus takes a number above 0"],
    ["a memory that is none", ["-m", "lots"], "memory"],
    ["a detached terminal", ["-d", "-t"], "--detach and --tty"],
  ])("refuses %s", (_, args, reason) => {
    expect(() => parse(...args)).toThrow(reason);
  });

  it("may have one port for both protocols, and for two addresses", () => {
    const args = ["-p", "127.0.0.1:53:53", "-p", "127.0.0.2:53:53", "-p", "53:53/udp"];
    expect(parseVariables([])).toEqual([]);
    expect(() => parse(...args)).not.toThrow("twice");
  });

  it("keeps of a detached container's output what Docker's options say", () => {
    expect(parse("-d").log).toEqual({ maxBytes: 10 * 2 ** 20, maxFiles: 3 });
    expect(parse("-d", "--log-opt", "max-size=64k", "--log-opt", "max-file=1").log).toEqual({
      maxBytes: 65_536,
      maxFiles: 1,
    });
    expect(() => parse("-d", "--log-opt", "max-age=1")).toThrow('--log-opt knows max-size and max-file, not "max-age"');
    expect(() => parse("-d", "--log-opt", "max-file=0")).toThrow("a number from 1 to 100");
    expect(() => parse("-d", "--log-opt", "max-size=-1")).toThrow("a size above 0");
    expect(() => parse("--log-opt", "max-size=1k")).toThrow("--log-opt is for --detach");
  });
});
