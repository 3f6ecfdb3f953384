import { expect, it } from "vitest";
import { withSandboxMounts } from "./sandbox-files.ts";

const bind = (destination: string, source: string) => ({ destination, type: "bind", source, options: ["rbind"] });

it("a container has its sandbox's mounts where it has no bind mount of its own", () => {
  const ofContainerd = { destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["size=65536k"] };
  const ofKubelet = bind("/etc/hosts", "/var/lib/kubelet/pods/1/etc-hosts");
  const proc = { destination: "/proc", type: "proc", source: "proc" };
  const ofSandbox = ["/etc/hosts", "/etc/resolv.conf", "/dev/shm"].map((place) => bind(place, `/sandbox${place}`));
  expect(withSandboxMounts([proc, ofContainerd, ofKubelet], ofSandbox)).toEqual([
    ...[proc, ofKubelet],
    ...[bind("/etc/resolv.conf", "/sandbox/etc/resolv.conf"), bind("/dev/shm", "/sandbox/dev/shm")],
  ]);
  expect(withSandboxMounts([proc, ofContainerd], [])).toEqual([proc, ofContainerd]);
});
