import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { rotated } from "../harness/rotation.ts";
import { ARCHIVES, WholeMachine } from "../harness/whole-machine.ts";

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

/** Each takes a minute or more under emulation: the engines have their day, what needs none of them another. */
const CASES: readonly (readonly [what: string, play: (kata: Kata) => Promise<void>])[] = [
  ["Docker in it: overlay2, limits, a bridge, published ports, names", withDocker],
  ["systemd as its first process: units, a journal, cgroups, users, and an end by its own signal", withSystemd],
  ["podman in it, which has no daemon: limits, a bridge, published ports", withPodman],
  ["packages that apt installs: services, users, what is configured and compiled, and takes away again", withApt],
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

/**
 * As podman starts it, without more privilege than any other container: it may write to its cgroup, and has what it could
 * not mount itself.
 */
async function withSystemd(kata: Kata): Promise<void> {
  await using machine = await WholeMachine.start(kata, { args: ["/sbin/init"], privileged: false }, (spec) => {
    spec.hostname = "whole";
    spec.mounts.push({ destination: "/run/lock", type: "tmpfs", source: "tmpfs" });
  });
  await kata.ok(["debug", machine.id, "sh", "-c", CONTROLLERS_ARE_GIVEN]);
  expect(await machine.sh(FAILED_UNITS)).toBe("running");
  await machine.sh(`cat >/etc/systemd/system/answer.service <<END
[Service]
ExecStart=busybox httpd -f -p 127.0.0.1:8080 -h /srv/web
User=daemon
MemoryMax=32M
TasksMax=17
Restart=always
END
mkdir /srv/web; echo served >/srv/web/x; systemctl daemon-reload; systemctl start answer`);
  const fetch = "until busybox wget -q -O- http://127.0.0.1:8080/x; do sleep 0.2; done";
  expect(await machine.sh(fetch)).toBe("served");
  // What it makes of a unit's limits is the kernel's.
  const cgroup = "/sys/fs/cgroup$(systemctl show -P ControlGroup answer)";
  expect(await machine.sh(`cat ${cgroup}/memory.max ${cgroup}/pids.max`)).toBe("33554432\n17");
  // A service that has been killed comes back, and the journal tells of both.
  const main = "systemctl show -P MainPID answer";
  const before = await machine.sh(main);
  await machine.sh(`kill -KILL ${before}; until [ "$(systemctl show -P NRestarts answer)" = 1 ]; do sleep 0.2; done`);
  expect(await machine.sh(fetch)).toBe("served");
  expect(await machine.sh(main)).not.toBe(before);
  await machine.sh("logger -t harness 'a line of its own'; journalctl --sync");
  expect(await machine.sh("journalctl -t harness -o cat")).toBe("a line of its own");
  expect(await machine.sh("journalctl -u answer -o cat")).toContain("code=killed, status=9/KILL");
  expect(await machine.sh("systemd-run --wait --pipe -p User=daemon id -un")).toBe("daemon");
  // What podman and Docker send to stop such a container.
  await kata.ok(["kill", machine.id, "RTMIN+3"]);
  expect(await machine.status()).toBe(0);
}

/**
 * systemd gives the controllers of its cgroup to its units as it boots. A process that is executed in that cgroup before
 * keeps the kernel from it, under any runtime: so this is asked in the guest, outside of the container.
 */
const CONTROLLERS_ARE_GIVEN = `
until grep -qs memory $(find /sys/fs/cgroup -name init.scope)/../cgroup.subtree_control; do sleep 0.2; done`;

/** "running" once it is, or what is not, with its log. It can be asked before it has booted. */
const FAILED_UNITS = `until [ -S /run/systemd/private ]; do sleep 0.2; done
systemctl is-system-running --wait && exit
systemctl --failed --no-legend --plain | while read -r unit rest; do echo "$unit"; journalctl -b -u "$unit" -o cat; done`;

/** As in a container of Docker's, from an archive in it. */
async function withApt(kata: Kata): Promise<void> {
  await using machine = await WholeMachine.start(kata, { args: STAY, privileged: false });
  await machine.sh(`rm -rf /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/packages ./' >/etc/apt/sources.list
export DEBIAN_FRONTEND=noninteractive
apt-get update && apt-get install -y ${ARCHIVES.join(" ")}`);
  const states = `dpkg-query -W -f '\${db:Status-Abbrev}\\n' | sort -u`;
  expect(await machine.sh(states)).toBe("ii ");
  // Owners, modes and content are as the packages have them.
  const verify =
    "dpkg --audit; dpkg --verify python3.13-minimal nginx-common cron | grep -v ' /usr/share/\\(doc\\|man\\|locale\\)/' || true";
  expect(await machine.sh(verify)).toBe("");
  expect(await machine.sh("stat -c '%U:%G %a' /var/log/nginx /usr/bin/crontab")).toBe(
    "root:adm 755\nroot:crontab 2755",
  );
  expect(await machine.sh("python3 -c 'import sys; print(sys.version_info[0])'")).toBe("3");
  await machine.sh("nginx; echo from nginx >/var/www/html/x");
  expect(await machine.sh("busybox wget -q -O- http://127.0.0.1/x")).toBe("from nginx");
  expect(await machine.sh("ps -o user= -C nginx | sort -u")).toBe("root\nwww-data");
  await machine.sh("nginx -s quit; DEBIAN_FRONTEND=noninteractive apt-get purge -y cron nginx-common");
  expect(await machine.sh("ls -d /etc/nginx /usr/sbin/nginx /usr/sbin/cron 2>/dev/null || true")).toBe("");
}
