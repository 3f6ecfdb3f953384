import { describe, expect, it } from "vitest";
import { parseLeading } from "../arguments/parse.ts";
import { parseRequest } from "./request.ts";
import { manual } from "./run.ts";
import { parseVariables } from "./variables.ts";

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
      volumes: [{ mount: { source: "/tmp", destination: "/x", options: ["rbind", "ro"] } }],
      env: ["A=b", "OWN=a=b"],
      cwd: "/srv",
      resources: { memory: { limit: 64 * 2 ** 20 }, cpu: { quota: 150_000 } },
    });
    expect(parse("--rm", "-i", "--plain-http").network).toEqual({
      kind: "nat",
      isDefault: true,
      ports: [],
      egress: "all",
    });
  });

  it.each<[string, readonly string[], string]>([
    ["a volume that is not there", ["-v", "/nonexistent/x:/x"], "there is no /nonexistent/x"],
    ["a volume with a name that is none", ["-v", "x y:/x"], "is no volume's name"],
    ["a place twice", ["-v", "/tmp:/x", "--tmpfs", "/x/"], "have the place /x twice"],
    ["a detached container that reads", ["-d", "-i"], "--detach and --interactive"],
    ["a capability that is none", ["--cap-add", "fly"], "is no capability of Linux"],
    ["a capability added and dropped", ["--cap-add", "CAP_KILL", "--cap-drop", "kill"], "both name KILL"],
    ["memory for files with odd options", ["--tmpfs", "/x:fast"], '"fast" is no option'],
    ["memory for files nowhere", ["--tmpfs", "x"], "--tmpfs takes an absolute path"],
    ["a name that is none", ["--hostname", "a b"], "--hostname takes letters"],
    ["a host without an address", ["--add-host", "db:here"], "--add-host takes NAME:ADDRESS"],
    ["a file of variables that is not there", ["--env-file", "/nonexistent"], "--env-file /nonexistent: ENOENT"],
    ["a volume without a place", ["-v", "/tmp"], "--volume takes"],
    ["a port twice", ["-p", "80:1", "-p", "80:2"], "host port 80/tcp twice"],
    ["a port twice, once of one address", ["-p", "80:1", "-p", "127.0.0.1:80:2"], "host port 80/tcp twice"],
    ["a network of another kind", ["--network", "host"], "--network takes nat, bridge or none"],
    ["a port without a network", ["--network", "none", "-p", "80:80"], "--publish needs a network: --network none"],
    ["any port for the bridge", ["--network", "bridge", "-p", "80"], "needs a port of the host"],
    ["any of a range for the bridge", ["--network", "bridge", "-p", "8000-8010:80"], "needs a port of the host"],
    ["rules for the bridge", ["--network", "bridge", "--egress", "none"], "--egress needs --network nat, not bridge"],
    ["rules without a network", ["--network", "none", "--egress", "all"], "--egress needs --network nat, not none"],
    ["a rule that is none", ["--egress", "example.org,http://x"], 'egress cannot allow "http://x"'],
    ["a rule of no words", ["--egress", "example.org,"], 'egress cannot allow ""'],
    ["a rule beside all", ["--egress", "all", "--egress", "example.org"], "--egress all goes with no other rule"],
    ["a variable without a name", ["-e", "=x"], "--env takes"],
    ["a relative directory", ["-w", "srv"], "--workdir takes an absolute path"],
    ["no processor at all", ["--cpus", "0"], "--cpus takes a number above 0"],
    ["a memory that is none", ["-m", "lots"], "memory"],
    ["a detached terminal", ["-d", "-t"], "--detach and --tty"],
  ])("refuses %s", (_, args, reason) => {
    expect(() => parse(...args)).toThrow(reason);
  });

  it("has Docker's capabilities, more, fewer, all or none", () => {
    const usual = parse().capabilities;
    expect(usual).toHaveLength(14);
    expect(parse("--cap-add", "net_admin", "--cap-drop", "CAP_CHOWN").capabilities).toEqual(
      [...usual, "CAP_NET_ADMIN"].filter((name) => name !== "CAP_CHOWN"),
    );
    expect(parse("--cap-drop", "all", "--cap-add", "KILL").capabilities).toEqual(["CAP_KILL"]);
    expect(parse("--cap-add", "ALL", "--cap-drop", "BPF").capabilities).toHaveLength(40);
  });

  it("has volumes by name, memory for files, and names of hosts", () => {
    const asked = parse(
      ...["-v", "data:/var/lib/x:ro", "--tmpfs", "/run", "--tmpfs", "/tmp:exec,size=64m,mode=1777"],
      ...["--read-only", "--hostname", "db.example", "--add-host", "a:10.0.0.2", "--add-host", "b=[::1]"],
    );
    expect(asked).toMatchObject({
      volumes: [{ name: "data", destination: "/var/lib/x", mode: "ro" }],
      tmpfs: [
        { destination: "/run", options: ["nosuid", "nodev", "noexec"] },
        { destination: "/tmp", options: ["nosuid", "nodev", "exec", "size=67108864", "mode=1777"] },
      ],
      readonly: true,
      hostname: "db.example",
      hosts: [
        { name: "a", address: "10.0.0.2" },
        { name: "b", address: "::1" },
      ],
    });
  });

  it("has rules of several options, and a network that is not the default by them", () => {
    const { network } = parse("--egress", "*.example.org:443, 10.1.0.0/16", "--egress", "db");
    expect(network).toMatchObject({ isDefault: false, egress: { allow: ["*.example.org:443", "10.1.0.0/16", "db"] } });
    expect(parse("--egress", "none").network).toMatchObject({ kind: "nat", egress: "none" });
    expect(parse("--network", "none").network).toMatchObject({ kind: "none", isDefault: false });
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
