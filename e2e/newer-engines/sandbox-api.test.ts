import { readFileSync } from "node:fs";
import type { ProcessIdentity } from "@kata-ts/linux";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Containerd } from "../harness/engines/containerd.ts";
import { expectNoShims } from "../harness/engines/no-shims.ts";
import { Pod } from "../harness/engines/pod.ts";
import { engineSuite } from "../harness/engines/root/base-root.ts";
import { ourProcesses } from "../harness/engines/shim-process.ts";
import { killProcess } from "../harness/faults/shim-task.ts";

/** The file daemon has a process that waits for the one that serves. */
const VM = ["qemu-system", "virtiofsd", "virtiofsd"];
const HANDLER = "kata-sandbox";
/** CRI's number for a pod without its sandbox. */
const NOT_READY = 1;

// containerd 1.7, of trixie, has the API for experiments only.
describe.runIf(engineSuite() === "forky")("containerd's sandbox API", () => {
  let containerd: Containerd;

  beforeAll(async () => {
    containerd = await Containerd.start();
  });

  afterAll(async () => {
    await containerd[Symbol.asyncDispose]();
  });

  expectCleanHost();
  expectNoShims();

  it("has pods of the CRI without a pause container, with the files and the memory that a pod shares", async () => {
    const dns = { servers: ["192.0.2.53"], searches: ["pods.test"] };
    await using pod = await Pod.run(containerd, HANDLER, { dns });
    expect(ourProcesses()).toEqual(["containerd-shim-kata-v2", ...VM]);
    const serve = ["sh", "-c", "echo served > /tmp/page; exec httpd -f -p 8000 -h /tmp"];
    const web = await pod.start({ name: "web", command: serve });
    const box = await pod.start({ name: "box", command: ["sleep", "1000"] });
    expect(ourProcesses()).toEqual(["containerd-shim-kata-v2", ...VM]);

    expect(await pod.output(box, "cat", "/etc/hostname", "/etc/resolv.conf")).toBe(
      "podhost\nsearch pods.test\nnameserver 192.0.2.53",
    );
    expect(await pod.output(box, "hostname")).toBe("podhost");
    expect(await pod.output(box, "grep", "-c", " /etc/hosts ", "/proc/mounts")).toBe("1");
    await pod.output(web, "sh", "-c", "echo shared memory > /dev/shm/x");
    expect(await pod.output(box, "cat", "/dev/shm/x")).toBe("shared memory");
    const fetch = "until wget -qO- http://127.0.0.1:8000/page; do sleep 0.1; done";
    expect(await pod.output(box, "sh", "-c", fetch)).toBe("served");
    const url = `http://${await pod.address()}:8000/page`;
    expect((await containerd.inNamespace(["busybox", "wget", "-qO-", url])).stdout).toBe("served");
    const forward = { pod_sandbox_id: pod.id, port: [8000] };
    expect((await pod.stream("PortForward", forward, "GET /page HTTP/1.0\r\n\r\n")).stdout).toMatch(/served/);

    // The pod outlives each container.
    await pod.remove(web);
    await pod.remove(box);
    const again = await pod.start({ name: "again", command: ["sh", "-c", "cat /dev/shm/x; exit 5"] });
    expect(await pod.ended(again)).toBe(5);
    expect((await pod.log("again")).join()).toContain("shared memory");
  });

  it("tells that a pod's VM has ended", async () => {
    await using pod = await Pod.run(containerd, HANDLER);
    const box = await pod.start({ name: "box", command: ["sleep", "1000"] });
    const record = JSON.parse(readFileSync(`/run/kata-ts/containerd/k8s.io/${pod.id}/kata.json`, "utf8")) as {
      readonly vm: { readonly vmm: ProcessIdentity };
    };
    await killProcess(record.vm.vmm);
    expect(await pod.ended(box)).toBe(255);
    while ((await pod.state()) !== NOT_READY);
  });

  it("keeps pods through a restart of containerd", async () => {
    await using pod = await Pod.run(containerd, HANDLER);
    const box = await pod.start({ name: "box", command: ["sleep", "1000"] });
    await containerd.stop();
    await containerd.startAgain();
    expect(await pod.output(box, "echo", "alive")).toBe("alive");
    const late = await pod.start({ name: "late", command: ["sh", "-c", "exit 6"] });
    expect(await pod.ended(late)).toBe(6);
  });
});
