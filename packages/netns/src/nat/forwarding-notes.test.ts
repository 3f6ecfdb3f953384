import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootId } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NetworkNamespace } from "../namespace.ts";
import { ForwardingNotes } from "./forwarding-notes.ts";
import { SubnetLeases } from "./lease.ts";
import { networkNamespacesInUse } from "./namespaces-in-use.ts";

const SWITCH = "/proc/sys/net/ipv4/ip_forward";

let directory = "";
const opened: NetworkNamespace[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "forwarding-"));
});

afterEach(() => {
  for (const namespace of opened.splice(0)) namespace[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

/** A host that does not forward. */
function host(): NetworkNamespace {
  const namespace = NetworkNamespace.create();
  opened.push(namespace);
  namespace.run(() => {
    writeFileSync(SWITCH, "0");
  });
  return namespace;
}

function notes(): ForwardingNotes {
  return new ForwardingNotes(new SubnetLeases(directory));
}

function forwards(namespace: NetworkNamespace): boolean {
  return namespace.run(() => readFileSync(SWITCH, "latin1").trim() === "1");
}

describe("what is noted about a host's forwarding", () => {
  it("has it written back once, and only where it was switched on", () => {
    const one = host();
    expect(one.run(() => notes().enable())).toBe(true);
    expect(one.run(() => notes().enable())).toBe(false);
    expect(forwards(one)).toBe(true);
    one.run(() => {
      notes().restore();
    });
    expect(forwards(one)).toBe(false);
    expect(readdirSync(directory)).toEqual([]);
    one.run(() => {
      writeFileSync(SWITCH, "1");
      notes().restore();
    });
    expect(forwards(one)).toBe(true);
  });

  it("is not taken for that of a later host with the inode of one that has ended", () => {
    const ended = host();
    ended.run(() => notes().enable());
    const later = host();
    // As if the kernel had given the inode again: which one it gives next depends on all other programs.
    const again = (text: string): string => text.replaceAll(String(ended.identity.ino), String(later.identity.ino));
    const [name = ""] = readdirSync(directory);
    const note = readFileSync(join(directory, name), "utf8");
    expect(again(note)).not.toBe(note);
    rmSync(join(directory, name));
    writeFileSync(join(directory, again(name)), again(note));
    later.run(() => {
      writeFileSync(SWITCH, "1");
      notes().restore();
    });
    expect(forwards(later)).toBe(true);
  });

  it("goes with its host, and stays where that may be there", () => {
    const [own, other] = [host(), host()];
    other.run(() => notes().enable());
    const left = (inUse: ReadonlySet<number> | undefined): number => {
      own.run(() => {
        notes().restore(() => inUse);
      });
      return readdirSync(directory).length;
    };
    expect(left(undefined)).toBe(1);
    expect(left(new Set([other.identity.ino]))).toBe(1);
    expect(left(new Set([own.identity.ino]))).toBe(0);
  });

  it("of an earlier boot, or cut off, goes and changes nothing", () => {
    const one = host();
    one.run(() => notes().enable());
    const [name = ""] = readdirSync(directory);
    for (const text of ["", readFileSync(join(directory, name), "utf8").replace(bootId(), "another")]) {
      writeFileSync(join(directory, name), text);
      writeFileSync(join(directory, `${name}0`), text);
      one.run(() => {
        notes().restore();
      });
      expect(forwards(one)).toBe(true);
      expect(readdirSync(directory)).toEqual([]);
    }
  });
});

describe("network namespaces in use", () => {
  function process(pid: string, pidNamespace: string, net: string, mountinfo = ""): void {
    const place = join(directory, pid);
    mkdirSync(join(place, "ns"), { recursive: true });
    symlinkSync(`pid:[${pidNamespace}]`, join(place, "ns/pid"));
    symlinkSync(`mnt:[${pid}]`, join(place, "ns/mnt"));
    writeFileSync(join(place, "mountinfo"), mountinfo);
    mkdirSync(join(place, "task", pid, "ns"), { recursive: true });
    symlinkSync(`net:[${net}]`, join(place, "task", pid, "ns/net"));
  }

  it("are those of processes, and those with a name", () => {
    process("self", "4026531836", "1");
    process("17", "4026531836", "1");
    process("18", "4026532000", "2", "36 28 0:4 net:[3] /run/netns/pod rw shared:1 - nsfs nsfs rw\n");
    mkdirSync(join(directory, "19"));
    expect(networkNamespacesInUse(directory)).toEqual(new Set([1, 2, 3]));
  });

  it("are not known to a process that does not see all others", () => {
    process("self", "4026532000", "1");
    expect(networkNamespacesInUse(directory)).toBeUndefined();
  });
});
