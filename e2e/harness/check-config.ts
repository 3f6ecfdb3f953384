/**
 * The kernel options that moby's check-config.sh looks for, as of Linux 6.12: those it calls necessary, optional, and
 * for each network and storage driver. Options that 6.12 no longer has are left out.
 */
export const CHECK_CONFIG: readonly string[] = [
  ...["NAMESPACES", "NET_NS", "PID_NS", "IPC_NS", "UTS_NS"],
  ...["CGROUPS", "CGROUP_CPUACCT", "CGROUP_DEVICE", "CGROUP_FREEZER", "CGROUP_SCHED", "CPUSETS", "MEMCG"],
  ...["KEYS", "VETH", "BRIDGE", "BRIDGE_NETFILTER", "IP_NF_FILTER", "IP_NF_MANGLE", "IP_NF_TARGET_MASQUERADE"],
  ...["NETFILTER_XT_MATCH_ADDRTYPE", "NETFILTER_XT_MATCH_CONNTRACK", "NETFILTER_XT_MATCH_IPVS", "NETFILTER_XT_MARK"],
  ...["IP_NF_RAW", "IP_NF_NAT", "NF_NAT", "POSIX_MQUEUE", "CGROUP_BPF"],
  ...["IP6_NF_FILTER", "IP6_NF_MANGLE", "IP6_NF_TARGET_MASQUERADE", "IP6_NF_RAW", "IP6_NF_NAT"],
  ...["USER_NS", "SECCOMP", "SECCOMP_FILTER", "CGROUP_PIDS", "LEGACY_VSYSCALL_XONLY", "BLK_CGROUP"],
  ...["BLK_DEV_THROTTLING", "CGROUP_PERF", "CGROUP_HUGETLB", "NET_CLS_CGROUP", "CGROUP_NET_PRIO"],
  ...["CFS_BANDWIDTH", "FAIR_GROUP_SCHED", "IP_NF_TARGET_REDIRECT", "IP_VS", "IP_VS_NFCT", "IP_VS_PROTO_TCP"],
  ...["IP_VS_PROTO_UDP", "IP_VS_RR", "SECURITY_SELINUX", "SECURITY_APPARMOR", "EXT4_FS", "EXT4_FS_POSIX_ACL"],
  ...["EXT4_FS_SECURITY", "RT_GROUP_SCHED", "VXLAN", "BRIDGE_VLAN_FILTERING", "CRYPTO", "CRYPTO_AEAD", "CRYPTO_GCM"],
  ...["CRYPTO_SEQIV", "CRYPTO_GHASH", "XFRM", "XFRM_USER", "XFRM_ALGO", "INET_ESP", "NETFILTER_XT_MATCH_BPF"],
  ...["IPVLAN", "MACVLAN", "DUMMY", "NF_NAT_FTP", "NF_CONNTRACK_FTP", "NF_NAT_TFTP", "NF_CONNTRACK_TFTP"],
  ...["BTRFS_FS", "BTRFS_FS_POSIX_ACL", "OVERLAY_FS", "BLK_DEV_DM", "DM_THIN_PROVISIONING"],
];

/** What our kernel leaves out, and why. docs/guest-image.md says it to people. */
export const OMITTED: Readonly<Record<string, string>> = {
  IP_NF_TARGET_REDIRECT: "only the old name of NETFILTER_XT_TARGET_REDIRECT, which is there",
  SECURITY_SELINUX: "no policy is loaded in the guest; labels are about the host's",
  SECURITY_APPARMOR: "no profile is loaded in the guest",
  RT_GROUP_SCHED: "with it, a process in a cgroup without a real-time budget cannot become real-time at all",
  BTRFS_FS:
    "a container inside the guest stores its images on overlay; it adds seconds to the build and size to the kernel",
  BTRFS_FS_POSIX_ACL: "as BTRFS_FS",
};
