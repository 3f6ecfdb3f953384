import { closeSync } from "node:fs";
import { expect, it } from "vitest";
import { abiOf, type NumberedCall, type SizedStructure, zeroed } from "./abi.ts";
import { call, LinuxError, syscall } from "./native.ts";
import { openTerminal } from "./terminals.ts";

/** The errno of a system call that fails. */
function errnoOf(body: () => number): string {
  try {
    return String(body());
  } catch (error) {
    if (error instanceof LinuxError) return error.errno;
    throw error;
  }
}

// Each is called so that no other system call would answer the same: 8192 bytes are no call's structure but these.
it.each<[NumberedCall, string]>([
  ["open_tree", "EBADF"],
  ["openat2", "E2BIG"],
  ["mount_setattr", "E2BIG"],
  ["move_mount", "EINVAL"],
  ["pivot_root", "ENOENT"],
  ["fsopen", "ENODEV"],
  ["fsmount", "EBADF"],
  ["fsconfig", "ENOTSUP"],
  ["pidfd_open", "ESRCH"],
  ["pidfd_getfd", "EBADF"],
])("%s has its number", (name, errno) => {
  const large = Buffer.alloc(8192, 0xff);
  const parameters: Record<string, [string, ...unknown[]]> = {
    open_tree: ["int dir, const char *path, unsigned int flags", -1, "none", 0],
    openat2: ["int dir, const char *path, void *how, size_t size", -100, "/", large, large.length],
    mount_setattr: ["int dir, const char *path, unsigned int flags, void *attr, size_t size", -1, "", 0, large, 8192],
    pivot_root: ["const char *to, const char *putOld", "/nonexistent/to", "/nonexistent/old"],
    move_mount: ["int fromDir, str from, int toDir, str to, unsigned int flags", -1, "", -1, "", 0xffff_ffff],
    fsopen: ["str type, unsigned int flags", "no-such-file-system", 1],
    fsmount: ["int context, unsigned int flags, unsigned int attributes", -1, 1, 2],
    pidfd_open: ["int pid, unsigned int flags", 0x7fff_ffff, 0],
    pidfd_getfd: ["int pidfd, int fd, unsigned int flags", -1, 0, 0],
    fsconfig: ["int context, unsigned int command, str key, str value, int auxiliary", 0, 0xff, null, null, 0],
  };
  const [signature = "", ...args] = parameters[name] ?? [];
  expect(errnoOf(() => syscall(name, signature, "", ...args))).toBe(errno);
});

it("an architecture without a table is refused by its name", () => {
  expect(() => abiOf("riscv64")).toThrow("not known for the architecture riscv64");
});

const MARK = 0xaa;

/** How many bytes a function of libc's writes to a structure: up to the last byte that is no mark any more. */
function written(fill: (structure: Buffer) => void): number {
  const room = Buffer.alloc(1024, MARK);
  fill(room);
  return room.findLastIndex((byte) => byte !== MARK) + 1;
}

it.each<[SizedStructure, (structure: Buffer) => void]>([
  ["posix_spawnattr_t", (it) => call("int posix_spawnattr_init(void *it)", "", it)],
  ["posix_spawn_file_actions_t", (it) => call("int posix_spawn_file_actions_init(void *it)", "", it)],
  ["statx", (it) => call("int statx(int d, str p, int f, unsigned int m, void *it)", "", -100, "/", 0, 0x7ff, it)],
])("%s is as large as what libc writes", (structure, fill) => {
  expect(zeroed(structure)).toHaveLength(written(fill));
});

it("termios is as large as what libc writes", () => {
  const { master, slave } = openTerminal();
  expect(zeroed("termios")).toHaveLength(
    written((modes) => {
      call("int tcgetattr(int fd, void *modes)", "", slave, modes);
    }),
  );
  closeSync(master);
  closeSync(slave);
});
