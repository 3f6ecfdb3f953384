/** What tests change of a bundle's config.json. */
export interface LabSpec {
  ociVersion: string;
  hostname?: string;
  process: Record<string, unknown> & { terminal: boolean };
  root: { path: string; readonly: boolean };
  mounts: Record<string, unknown>[];
  linux: Record<string, unknown> & { namespaces: { type: string; path?: string }[] };
  annotations: Record<string, string>;
}

const COMMANDS =
  "cat date dd echo free grep head httpd ip ls md5sum mkdir mount nproc od ping sed sh sleep stty tr uname wc wget";

/**
 * A shell script that makes the bundle /root/NAME: busybox, and `sh -c COMMAND`. It is written here and not by a program of
 * the host's, each of which takes seconds there.
 */
export function bundle(name: string, command: string, edit: (spec: LabSpec) => void = () => undefined): string {
  const spec: LabSpec = {
    ociVersion: "1.0.2",
    hostname: name,
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ["sh", "-c", command],
      env: ["PATH=/bin", "TERM=dumb"],
      cwd: "/",
    },
    root: { path: "rootfs", readonly: false },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro"] },
      { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"] },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["mode=755", "size=65536k"] },
      { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666"] },
    ],
    linux: {
      // At the top, as runc has it for a path that starts so. Where there is none, see the tests of cgroups.
      cgroupsPath: `/${name}`,
      namespaces: ["pid", "network", "ipc", "uts", "mount"].map((type) => ({ type })),
    },
    annotations: {},
  };
  edit(spec);
  return `
mkdir -p /root/${name}/rootfs/bin
cp /bin/busybox /root/${name}/rootfs/bin/
for each in ${COMMANDS}; do ln -sf busybox /root/${name}/rootfs/bin/$each; done
cat >/root/${name}/config.json <<'CONFIG'
${JSON.stringify(spec)}
CONFIG
`;
}
