import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { rotated } from "../harness/rotation.ts";
import { WholeMachine } from "../harness/whole-machine.ts";

const TIMEOUT_MS = 600_000;
const STAY = ["sh", "-c", "trap exit TERM; sleep infinity & wait"];

/** As every engine in a container does it: a cgroup whose processes are to be limited has none of its own. */
const OWN_CGROUP = `
mkdir -p /sys/fs/cgroup/init
for pid in $(cat /sys/fs/cgroup/cgroup.procs); do echo $pid >/sys/fs/cgroup/init/cgroup.procs 2>/dev/null || true; done
sed -e 's/ / +/g' -e 's/^/+/' </sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
`;
const IMAGE = `
mkdir -p /tmp/box/bin; cp /bin/busybox /tmp/box/bin/busybox
ln -sf busybox /tmp/box/bin/sh; ln -sf busybox /tmp/box/bin/sleep; tar -C /tmp/box -cf /tmp/box.tar .`;
/** A server of an engine's, on a port of the machine's. */
const serve = (engine: string, more = ""): string =>
  `${engine} run -d --name server ${more} -p 8080:80 --memory 64m box sh -c \
  'busybox mkdir /w; echo served >/w/x; exec busybox httpd -f -p 80 -h /w'`;

/** Each takes a minute or more under emulation: one a day. */
const CASES: readonly (readonly [what: string, play: (kata: Kata) => Promise<void>])[] = [
  ["Docker in it: overlay2, limits, a bridge, published ports, names", withDocker],
  ["podman in it, which has no daemon: limits, a bridge, published ports", withPodman],
];

describe("a container that is a whole machine", () => {
  expectCleanHost();

  it.each(rotated(CASES, 2))(
    "has %s",
    async (_what, play) => {
      await using kata = new Kata();
      await play(kata);
    },
    TIMEOUT_MS,
  );
});

async function withDocker(kata: Kata): Promise<void> {
  await using machine = await WholeMachine.start(kata, { args: STAY, privileged: true }, (spec) => {
    spec.mounts.push({ destination: "/var/lib/docker", type: "tmpfs", source: "tmpfs", options: ["size=512m"] });
  });
  await machine.sh(`${OWN_CGROUP}
dockerd >/tmp/dockerd.log 2>&1 &
until docker info >/dev/null 2>&1; do kill -0 $! || { tail /tmp/dockerd.log; exit 1; }; done`);
  expect(await machine.sh("docker info --format '{{.Driver}} {{.CgroupVersion}}'")).toBe("overlay2 2");
  await machine.sh(`${IMAGE}; docker import /tmp/box.tar box >/dev/null; docker network create net >/dev/null`);
  await machine.sh(serve("docker", "--network net"));
  const fetch = "until busybox wget -q -O- http://server/x; do sleep 0.2; done";
  expect(await machine.sh(`docker run --rm --network net box sh -c "${fetch}"`)).toBe("served");
  expect(await machine.sh("busybox wget -q -O- http://127.0.0.1:8080/x")).toBe("served");
  expect(await machine.sh("docker exec server sh -c 'busybox cat /sys/fs/cgroup/memory.max'")).toBe("67108864");
  await machine.sh("docker rm -f server >/dev/null; kill $(cat /run/docker.pid)");
}

async function withPodman(kata: Kata): Promise<void> {
  await using machine = await WholeMachine.start(kata, { args: STAY, privileged: true }, (spec) => {
    spec.mounts.push({ destination: "/var/lib/containers", type: "tmpfs", source: "tmpfs" });
  });
  await machine.sh(`${OWN_CGROUP}\n${IMAGE}; podman import -q /tmp/box.tar box >/dev/null`);
  const info = "podman info --format '{{.Store.GraphDriverName}} {{.Host.CgroupsVersion}}'";
  expect(await machine.sh(info)).toBe("overlay v2");
  await machine.sh(serve("podman"));
  expect(await machine.sh("until busybox wget -q -O- http://127.0.0.1:8080/x; do sleep 0.2; done")).toBe("served");
  expect(await machine.sh("podman exec server sh -c 'busybox cat /sys/fs/cgroup/memory.max'")).toBe("67108864");
  await machine.sh("podman rm -f -t 0 server");
}
