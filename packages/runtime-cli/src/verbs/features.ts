import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../commands.ts";
import { print } from "../output/print.ts";
import { OCI_VERSION, VERSION } from "../version.ts";

/** Those that the guest's runtime applies. */
const MOUNT_OPTIONS = [
  ...["async", "atime", "bind", "defaults", "dev", "diratime", "dirsync", "exec", "iversion", "lazytime", "loud"],
  ...["mand", "noatime", "nodev", "nodiratime", "noexec", "noiversion", "nolazytime", "nomand", "norelatime"],
  ...["nostrictatime", "nosuid", "private", "rbind", "relatime", "remount", "ro", "rprivate", "rshared", "rslave"],
  ...["runbindable", "rw", "shared", "silent", "slave", "strictatime", "suid", "sync", "tmpcopyup", "unbindable"],
];

export const manual: Manual = {
  operands: "",
  options: {},
};

/** The specification's feature document: what a config.json may ask of this runtime. */
export const verb: Verb = (args) => {
  parseAnywhere(args, manual.options);
  const features = {
    ociVersionMin: "1.0.0",
    ociVersionMax: OCI_VERSION,
    hooks: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
    mountOptions: [...MOUNT_OPTIONS],
    linux: {
      namespaces: ["cgroup", "ipc", "mount", "network", "pid", "user", "uts"],
      cgroup: { v1: false, v2: true, systemd: false, systemdUser: false, rdma: false },
      seccomp: { enabled: true },
      apparmor: { enabled: false },
      selinux: { enabled: false },
      intelRdt: { enabled: false },
    },
    annotations: { "io.kata-ts.version": VERSION },
  };
  print(`${JSON.stringify(features, null, 4)}\n`);
  return Promise.resolve(0);
};
