import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { ASKED, asking } from "../harness/engines/asked-container.ts";
import { Podman } from "../harness/engines/podman.ts";

let podman: Podman;

beforeAll(async () => {
  podman = await Podman.start();
});

afterAll(async () => {
  await podman[Symbol.asyncDispose]();
});

function ask(container: string, line: string): Promise<string> {
  return podman.ok("exec", container, "sh", "-c", asking(line));
}

describe("podman container checkpoint with kata", () => {
  expectCleanHost();
  afterEach(() => podman.settled());

  it("saves a container whose root file system is a block device's, and goes on with it, its memory and its network", async () => {
    await using undo = new AsyncDisposableStack();
    const root = undo.use(await podman.blockDirectory("saved"));
    undo.defer(async () => {
      await podman.run(["rm", "--force", "--time", "0", "saved"]);
    });
    await podman.ok(
      ...["--runtime", "kata-savable", "run", "--detach", "--name", "saved"],
      ...["--rootfs", root.path, "sh", "-c", ASKED],
    );
    expect(await ask("saved", "a")).toBe("a 1");
    const archive = podman.file("saved.tar.zst", "");
    const exported = await podman.run(["container", "checkpoint", "--leave-running", "--export", archive, "saved"]);
    expect({ exitCode: exported.exitCode, stderr: exported.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(await ask("saved", "b"), "the container goes on").toBe("b 2");
    expect(await podman.ok("container", "checkpoint", "--print-stats", "saved")).toMatch(/"frozen_time": [1-9]/);
    const state = ["inspect", "--format", "{{.State.Status}} {{.State.Checkpointed}}", "saved"];
    expect(await podman.ok(...state)).toBe("exited true");
    expect(await podman.ok("container", "restore", "--print-stats", "saved")).toMatch(/"restore_time": [1-9]/);
    expect(await ask("saved", "c"), "with its memory").toBe("c 3");
    expect(await podman.ok(...state)).toBe("running false");
    const address = await podman.ok("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "saved");
    await podman.inNamespace("busybox", "ping", "-c", "1", "-w", "60", address);
  });
});
