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

/** systemd itself is not there: the cgroup is podman's own, and its way to escape blanks in a command is not used. */
function unit(runtime: string, script: string): string {
  return `[Container]
Image=localhost/busybox
ContainerName=quadlet-${runtime}
Volume=${script}:/serve:ro
Exec=sh /serve
GlobalArgs=--runtime=${runtime === "kata" ? RUNTIME : "runc"}
CgroupsMode=enabled
Environment=A=b
`;
}

describe.each(["kata", "runc"])("a unit of Quadlet with %s", (runtime) => {
  expectCleanHost();
  afterEach(() => podman.settled());

  it("starts and stops its container", async () => {
    podman.directory(`quadlet-${runtime}`);
    const script = podman.file("serve", "mkdir /w; echo from a unit > /w/page; exec httpd -f -p 80 -h /w\n");
    podman.file(`quadlet-${runtime}/made.container`, unit(runtime, script));
    const made = await podman.quadlet(`quadlet-${runtime}`);
    const line = (key: string): string => {
      const command = new RegExp(`^${key}=(.*)$`, "m").exec(made)?.[1] ?? "";
      return command.replaceAll("%t", podman.directory("run")).replaceAll("%N", "made");
    };
    expect(line("ExecStart")).toContain("--sdnotify=conmon");
    await podman.line(line("ExecStart"));
    const name = `quadlet-${runtime}`;
    const fetch = "until wget -qO- http://127.0.0.1/page; do sleep 0.1; done; echo $A";
    expect(await podman.ok("exec", name, "sh", "-c", fetch)).toBe("from a unit\nb");
    await podman.line(line("ExecStop"));
    expect(await podman.ok("ps", "--all", "--quiet")).toBe("");
  });
});
