import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RootDev } from "./root-dev.ts";

describe("an image's /dev", () => {
  let root = "";

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "check-dev-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it.each(["/run", "../run", "gone", "dev"])("is refused as a link to %s", (target) => {
    symlinkSync(target, join(root, "dev"));
    expect(() => new RootDev(root)).toThrow(`symbolic link to "${target}"`);
  });

  it("is taken as a directory, and may be missing", () => {
    expect(() => new RootDev(root)).not.toThrow();
    mkdirSync(join(root, "dev"));
    expect(() => new RootDev(root)).not.toThrow();
  });

  it("is said to be another one where a container fails at a device, and no word is said of it otherwise", () => {
    mkdirSync(join(root, "dev"));
    const { ino, dev } = statSync(join(root, "dev"));
    const watched = new RootDev(root);
    const failure = new AgentRpcError(RpcStatus.Internal, "crun create: failed open()ing `/dev/null`");
    const was = `was directory ${String(ino)} of device ${String(dev)}`;
    expect(watched.explain(failure)).toMatchObject({
      status: RpcStatus.Internal,
      message: `${failure.message} (/dev of its root file system ${was}, and is directory ${String(ino)} of device ${String(dev)}, with 0 entries)`,
      cause: failure,
    });
    rmSync(join(root, "dev"), { recursive: true });
    expect(watched.explain(failure)).toMatchObject({
      message: expect.stringContaining(`${was}, and is missing)`) as string,
    });
    const other = new AgentRpcError(RpcStatus.Internal, "crun create: no memory");
    expect(watched.explain(other)).toBe(other);
  });
});
