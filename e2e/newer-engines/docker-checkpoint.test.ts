import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { ASKED, asking } from "../harness/engines/asked-container.ts";
import { Docker } from "../harness/engines/docker.ts";

let docker: Docker;

beforeAll(async () => {
  docker = await Docker.start({ onBlockDevices: true });
});

afterAll(async () => {
  await docker[Symbol.asyncDispose]();
});

async function version(): Promise<number> {
  return Number.parseInt(await docker.ok("version", "--format", "{{.Server.Version}}"), 10);
}

describe.each(["savable", "savable-v2"])("docker checkpoint with %s", (runtime) => {
  expectCleanHost();

  it("saves a container whose root file system is a block device's, and goes on with it, its memory and its network", async () => {
    await using box = await docker.start(["--runtime", runtime, "busybox", "sh", "-c", ASKED]);
    const ask = (line: string): Promise<string> => box.exec([], "sh", "-c", asking(line));
    expect(await ask("a")).toBe("a 1");
    await docker.ok("checkpoint", "create", "--leave-running", box.id, "first");
    expect(await ask("b"), "the container goes on").toBe("b 2");
    await docker.ok("checkpoint", "create", box.id, "second");
    // containerd 1 tells shims other than runc's not that the container is to end.
    if ((await box.inspect("{{.State.Running}}")) === "true") await docker.ok("kill", box.id);
    const restored = await docker.run(["start", "--checkpoint", "second", box.id]);
    if (runtime === "savable" && (await version()) >= 28) {
      // It looks for the network of a process that the shim for runc has not started yet.
      expect(restored.stderr).toContain("/proc/0/ns/net");
      return;
    }
    expect(restored.exitCode).toBe(0);
    expect(await ask("c"), "with its memory").toBe("c 3");
    const address = await box.inspect("{{.NetworkSettings.IPAddress}}");
    await docker.inNamespace("busybox", "ping", "-c", "1", "-w", "60", address);
    await docker.ok("kill", box.id);
    await docker.ok("start", "--checkpoint", "first", box.id);
    expect(await ask("d"), "with its memory of then").toBe("d 2");
  });
});
