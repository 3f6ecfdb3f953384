import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Podman } from "../harness/engines/podman.ts";
import { RUNTIME } from "../harness/paths.ts";

let podman: Podman;

beforeAll(async () => {
  podman = await Podman.start();
});

afterAll(async () => {
  await podman[Symbol.asyncDispose]();
});

describe.each([
  ["kata", RUNTIME],
  ["runc", "/usr/sbin/runc"],
])("buildah with %s", (name, runtime) => {
  expectCleanHost();
  afterEach(() => podman.settled());

  const using = ["--runtime", runtime, "--isolation", "oci"] as const;

  it("builds images, and tells of steps that fail", async () => {
    const steps = "FROM localhost/busybox\nRUN id -u > /made && uname -r > /kernel\nRUN cat /made\n";
    const file = podman.file(`Containerfile-${name}`, steps);
    const image = `localhost/built-${name}`;
    await podman.buildah("bud", ...using, "--tag", image, "--file", file, podman.directory("context"));
    expect(await podman.ok("--runtime", "runc", "run", "--rm", image, "cat", "/made")).toBe("0");
    const failing = podman.file(`Failing-${name}`, "FROM localhost/busybox\nRUN exit 7\n");
    await expect(podman.buildah("bud", ...using, "--file", failing, podman.directory("context"))).rejects.toThrow(
      /exit status 7/,
    );
    await podman.ok("rmi", image);
  });

  it("runs commands in a working container", async () => {
    const container = await podman.buildah("from", "localhost/busybox");
    const command = ["sh", "-c", "pwd; echo $A; echo kept > /kept"];
    const printed = await podman.buildah(
      "run",
      ...using,
      "--workingdir",
      "/tmp",
      "--env",
      "A=b",
      container,
      ...command,
    );
    expect(printed).toBe("/tmp\nb");
    expect(await podman.buildah("run", ...using, container, "cat", "/kept")).toBe("kept");
    await expect(podman.buildah("run", ...using, container, "sh", "-c", "exit 9")).rejects.toThrow(/exit status 9/);
    await podman.buildah("rm", container);
  });
});
