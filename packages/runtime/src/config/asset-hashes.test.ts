import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { QemuConfig } from "@kata-ts/virtcontainers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkAssetHashes } from "./asset-hashes.ts";

const CONTENT = Buffer.alloc(200_000, "kernel");
const HASH = createHash("sha512").update(CONTENT).digest("hex");

describe("the hash of a VM's file", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "asset-hashes-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  function check(hash: string, name = "kernel_hash", type = "sha512"): Promise<void> {
    const kernelPath = join(directory, "kernel");
    writeFileSync(kernelPath, CONTENT);
    const config = { kernelPath, imagePath: join(directory, "none") } as QemuConfig;
    return checkAssetHashes(config, {
      [`io.katacontainers.config.hypervisor.${name}`]: hash,
      "io.katacontainers.asset_hash_type": type,
    });
  }

  it.each([HASH, HASH.toUpperCase()])("lets a sandbox be that asks for the file that is there", async (hash) => {
    await check(hash);
  });

  it.each<[string, Parameters<typeof check>, RegExp]>([
    ["another file", [`0${HASH.slice(1)}`], /kernel has another sha512 hash/],
    ["a file that is not there", [HASH, "image_hash"], /image_hash: ENOENT/],
    ["a file that the VM does not have", [HASH, "initrd_hash"], /the VM has no such file/],
    ["a file of another hypervisor", [HASH, "jailer_hash"], /the VM has no such file/],
    ["a hash of another kind", [HASH, "kernel_hash", "sha1"], /"sha1" is not supported/],
  ])("refuses a sandbox that asks for %s", async (_what, wanted, message) => {
    await expect(check(...wanted)).rejects.toMatchObject({
      code: "KATA_ANNOTATION",
      message: expect.stringMatching(message) as string,
    });
  });
});
