import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoredImage } from "@kata-ts/oci-image";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseLeading } from "../arguments/parse.ts";
import { parseRequest } from "./request.ts";
import { manual } from "./run.ts";
import { type FrontSpec, frontSpec } from "./spec.ts";

let rootfs = "";

beforeEach(() => {
  rootfs = mkdtempSync(join(tmpdir(), "front-spec-"));
  mkdirSync(join(rootfs, "etc"));
  writeFileSync(join(rootfs, "etc/accounts"), "web:x:1000:1001::/:/bin/sh\n");
  symlinkSync("accounts", join(rootfs, "etc/passwd"));
});

afterEach(() => {
  rmSync(rootfs, { recursive: true });
});

function asked(...options: readonly string[]): FrontSpec {
  const request = parseRequest(parseLeading([...options, rootfs], manual.options).options);
  const network = { namespace: undefined, sysctl: {} };
  return frontSpec({ id: "web", rootfs, image: undefined, command: ["id"], request, network, mounts: [] });
}

it.each([
  [[], "0"],
  [["-u", "web"], "web"],
  [["-u", "web:more"], "web:more"],
  [["-u", "1000"], "1000"],
  [["-u", ":more"], "0:more"],
])("who %j is the guest looks up, and nothing on the host", (options, user) => {
  const { spec, ...rest } = asked(...options);
  expect(rest).toEqual({ user });
  expect(spec.process?.user).toEqual({ uid: 0, gid: 0 });
});

it("a user of the image's whom Linux does not have is the image's fault, and another one can be named", () => {
  const request = (...options: readonly string[]) =>
    parseRequest(parseLeading([...options, rootfs], manual.options).options);
  const image: StoredImage = {
    ...{ digest: `sha256:${"0".repeat(64)}`, names: ["odd:1"], rootfs, bytes: 0, blobs: [], unpacked: new Date(0) },
    config: {
      ...{ architecture: "amd64", os: "linux", rootfs: { diff_ids: [] } },
      config: { User: "4294967296:0" },
    },
  };
  const container = {
    id: "web",
    rootfs,
    image,
    command: ["id"],
    network: { namespace: undefined, sysctl: {} },
    mounts: [],
  };
  expect(() => frontSpec({ ...container, request: request() })).toThrow(
    expect.objectContaining({
      code: "KATA_IMAGE_FORMAT",
      message: expect.stringMatching(/^image odd:1 has the user "4294967296:0"/) as unknown,
    }),
  );
  expect(frontSpec({ ...container, request: request("-u", "5:6") }).spec.process?.user).toEqual({ uid: 5, gid: 6 });
});

it("a user by two numbers is known", () => {
  const { spec, user } = asked("-u", "5:6");
  expect([spec.process?.user, user]).toEqual([{ uid: 5, gid: 6 }, undefined]);
  expect(() => asked("-u", "4294967296:0")).toThrow("--user takes numbers up to 4294967294");
});
