/** The numbers of a system call on x64 and on arm64; absent where the architecture has none. */
export type CallNumbers = readonly [x64: number | undefined, arm64: number | undefined];

/** What a program that has all it needs in its hands is denied. From arch/x86/entry/syscalls/syscall_64.tbl and scripts/syscall.tbl. */
export const FILTERED_CALLS: Readonly<Record<string, CallNumbers>> = {
  // Other programs and processes.
  execve: [59, 221],
  execveat: [322, 281],
  fork: [57, undefined],
  vfork: [58, undefined],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  kcmp: [312, 272],
  pidfd_send_signal: [424, 424],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
  // Mounts, namespaces and what files are reached through.
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  setns: [308, 268],
  unshare: [272, 97],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  fanotify_init: [300, 262],
  mknod: [133, undefined],
  mknodat: [259, 33],
  listen: [50, 201],
  // What the whole kernel has once.
  init_module: [175, 105],
  delete_module: [176, 106],
  finit_module: [313, 273],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  syslog: [103, 116],
  acct: [163, 89],
  quotactl: [179, 60],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  clock_adjtime: [305, 266],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  iopl: [172, undefined],
  ioperm: [173, undefined],
  // Large parts of the kernel that programs of ours never use.
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425], // Not io_uring_enter: Node's loop has a ring, through which it asks for events.
  io_uring_register: [427, 427],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  personality: [135, 92],
};

/** To connect, and to be connected to. Sockets that are there already go on without. */
export const SOCKET_CALLS: Readonly<Record<string, CallNumbers>> = {
  socket: [41, 198],
  socketpair: [53, 199],
  bind: [49, 200],
  connect: [42, 203],
  accept: [43, 202],
  accept4: [288, 242],
};

/** Signals to other processes, by all calls but kill and tgkill. */
export const SIGNAL_CALLS: Readonly<Record<string, CallNumbers>> = {
  tkill: [200, 130],
  rt_sigqueueinfo: [129, 138],
  rt_tgsigqueueinfo: [297, 240],
};
