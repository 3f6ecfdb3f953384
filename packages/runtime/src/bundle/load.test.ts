import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultSpec } from "@kata-ts/virtcontainers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadBundle, loadProcess } from "./load.ts";

describe("bundles", () => {
  let bundle = "";

  beforeEach(() => {
    bundle = mkdtempSync(join(tmpdir(), "bundle-"));
    mkdirSync(join(bundle, "rootfs"));
  });

  afterEach(() => {
    rmSync(bundle, { recursive: true });
  });

  function write(value: unknown): void {
    writeFileSync(join(bundle, "config.json"), typeof value === "string" ? value : JSON.stringify(value));
  }

  it("are read with what we do not know kept, and nulls as absent", () => {
    write({ ...defaultSpec({ args: ["sh"] }), unknown: { kept: true }, hooks: null, annotations: null });
    const { spec, rootfs } = loadBundle(bundle);
    expect(spec).toMatchObject({ unknown: { kept: true } });
    expect(spec.annotations).toBeUndefined();
    expect(rootfs).toBe(join(bundle, "rootfs"));
  });

  it("are refused by one kind of error, whatever is in them", () => {
    const good = defaultSpec({ args: ["sh"] });
    const mutant = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .record({
          key: fc.constantFrom("process", "root", "mounts", "linux", "ociVersion", "hostname"),
          value: fc.jsonValue(),
        })
        .map(({ key, value }) => JSON.stringify({ ...good, [key]: value })),
    );
    fc.assert(
      fc.property(mutant, (text) => {
        write(text);
        try {
          loadBundle(bundle);
        } catch (error) {
          expect(error).toMatchObject({ name: "KataError" });
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("give process.json the same checks", () => {
    const file = join(bundle, "process.json");
    writeFileSync(file, JSON.stringify({ args: ["a"], cwd: "/", user: {} }));
    expect(loadProcess(file)).toMatchObject({ args: ["a"], user: { uid: 0, gid: 0 } });
    writeFileSync(file, JSON.stringify({ args: ["a"], cwd: "rel" }));
    expect(() => loadProcess(file)).toThrow("must be an absolute path");
    expect(() => loadProcess(join(bundle, "none"))).toThrow("not found");
  });
});
