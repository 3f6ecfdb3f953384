import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findGuestHooks, withGuestHooks } from "./guest-hooks.ts";

describe("guest_hook_path", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "hooks-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function program(kind: string, name: string, mode = 0o755): string {
    mkdirSync(join(root, kind), { recursive: true });
    const path = join(root, kind, name);
    writeFileSync(path, "#!/bin/sh\n");
    chmodSync(path, mode);
    return path;
  }

  it("finds the programs of each kind in the order of their names, and nothing else", () => {
    const second = program("prestart", "20-b");
    const first = program("prestart", "10-a");
    const stop = program("poststop", "x");
    program("prestart", "README", 0o644);
    program("other", "y");
    mkdirSync(join(root, "prestart", "30-directory"));
    symlinkSync("nowhere", join(root, "prestart", "40-dangling"));
    expect(findGuestHooks(root)).toEqual({
      prestart: [
        { path: first, args: [first, "prestart"] },
        { path: second, args: [second, "prestart"] },
      ],
      poststop: [{ path: stop, args: [stop, "poststop"] }],
    });
  });

  it("refuses a directory that is not there, and finds nothing without one", () => {
    expect(() => findGuestHooks(join(root, "missing"))).toThrow("the guest has no directory");
    expect(findGuestHooks("")).toEqual({});
  });

  it("leaves a container's config.json alone where there are none", () => {
    const spec = { ociVersion: "1.0.2" };
    expect(withGuestHooks(spec, findGuestHooks(root))).toBe(spec);
  });
});
