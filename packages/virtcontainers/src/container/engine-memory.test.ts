import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mountTable } from "../host/mount-table.ts";
import { engineMemory } from "./engine-memory.ts";

describe("memory of an engine's", () => {
  let host = "";
  const at = (...names: string[]): string => join(host, ...names);

  beforeEach(() => {
    host = mkdtempSync(join(tmpdir(), "engine-memory-"));
    for (const path of ["volumes/kubernetes.io~empty-dir/memory/sub/deep", "volume-subpaths/memory/c/0/deep"]) {
      mkdirSync(at(path), { recursive: true });
    }
    for (const path of ["secret/kubernetes.io~empty-dir", "shm/below", "disk"])
      mkdirSync(at(path), { recursive: true });
  });

  afterEach(() => {
    rmSync(host, { recursive: true });
  });

  function table(): ReturnType<typeof mountTable> {
    const mounts = [
      ["8:1", "/", "/", "ext4 /dev/vda"],
      ["0:50", "/", at("volumes/kubernetes.io~empty-dir/memory"), "tmpfs tmpfs"],
      ["0:50", "/sub", at("volume-subpaths/memory/c/0"), "tmpfs tmpfs"],
      ["0:51", "/", at("secret"), "tmpfs tmpfs"],
      ["0:52", "/", at("shm"), "tmpfs shm"],
    ] as const;
    return mountTable(
      mounts
        .map(([device, root, point, rest], i) => `${String(i)} 0 ${device} ${root} ${point} rw - ${rest} rw`)
        .join("\n"),
    );
  }

  it("is a volume of the medium Memory, wherever a part of it is mounted", () => {
    const point = at("volumes/kubernetes.io~empty-dir/memory");
    const find = (path: string) => engineMemory(at(path), table());
    expect(find("volumes/kubernetes.io~empty-dir/memory")).toEqual({ kind: "volume", point, subdirectory: "" });
    expect(find("volume-subpaths/memory/c/0")).toEqual({ kind: "volume", point, subdirectory: "sub" });
    expect(find("volume-subpaths/memory/c/0/deep")).toEqual({ kind: "volume", point, subdirectory: "sub/deep" });
    expect(find("volumes/kubernetes.io~empty-dir/memory/sub")).toMatchObject({ subdirectory: "sub" });
  });

  it("is what engines make for shared memory, whole", () => {
    expect(engineMemory(at("shm"), table())).toMatchObject({ kind: "shm", point: at("shm") });
    expect(engineMemory(at("shm/below"), table())).toBeUndefined();
  });

  it("is nothing else, whatever its path says", () => {
    for (const path of ["secret", "secret/kubernetes.io~empty-dir", "disk", "missing"]) {
      expect(engineMemory(at(path), table())).toBeUndefined();
    }
  });
});
