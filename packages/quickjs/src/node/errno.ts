/** Linux's errors: their numbers, and what libuv says of each. From `util.getSystemErrorMap()` of Node 26. */
export const ERRORS = {
  E2BIG: [7, "argument list too long"],
  EACCES: [13, "permission denied"],
  EADDRINUSE: [98, "address already in use"],
  EADDRNOTAVAIL: [99, "address not available"],
  EAFNOSUPPORT: [97, "address family not supported"],
  EAGAIN: [11, "resource temporarily unavailable"],
  EALREADY: [114, "connection already in progress"],
  EBADF: [9, "bad file descriptor"],
  EBADMSG: [74, "unknown error"],
  EBUSY: [16, "resource busy or locked"],
  ECANCELED: [125, "operation canceled"],
  ECHILD: [10, "unknown error"],
  ECONNABORTED: [103, "software caused connection abort"],
  ECONNREFUSED: [111, "connection refused"],
  ECONNRESET: [104, "connection reset by peer"],
  EDEADLK: [35, "unknown error"],
  EDESTADDRREQ: [89, "destination address required"],
  EDOM: [33, "unknown error"],
  EDQUOT: [122, "unknown error"],
  EEXIST: [17, "file already exists"],
  EFAULT: [14, "bad address in system call argument"],
  EFBIG: [27, "file too large"],
  EHOSTUNREACH: [113, "host is unreachable"],
  EIDRM: [43, "unknown error"],
  EILSEQ: [84, "illegal byte sequence"],
  EINPROGRESS: [115, "unknown error"],
  EINTR: [4, "interrupted system call"],
  EINVAL: [22, "invalid argument"],
  EIO: [5, "i/o error"],
  EISCONN: [106, "socket is already connected"],
  EISDIR: [21, "illegal operation on a directory"],
  ELOOP: [40, "too many symbolic links encountered"],
  EMFILE: [24, "too many open files"],
  EMLINK: [31, "too many links"],
  EMSGSIZE: [90, "message too long"],
  EMULTIHOP: [72, "unknown error"],
  ENAMETOOLONG: [36, "name too long"],
  ENETDOWN: [100, "network is down"],
  ENETRESET: [102, "unknown error"],
  ENETUNREACH: [101, "network is unreachable"],
  ENFILE: [23, "file table overflow"],
  ENOBUFS: [105, "no buffer space available"],
  ENODATA: [61, "no data available"],
  ENODEV: [19, "no such device"],
  ENOENT: [2, "no such file or directory"],
  ENOEXEC: [8, "exec format error"],
  ENOLCK: [37, "unknown error"],
  ENOLINK: [67, "unknown error"],
  ENOMEM: [12, "not enough memory"],
  ENOMSG: [42, "unknown error"],
  ENOPROTOOPT: [92, "protocol not available"],
  ENOSPC: [28, "no space left on device"],
  ENOSR: [63, "unknown error"],
  ENOSTR: [60, "unknown error"],
  ENOSYS: [38, "function not implemented"],
  ENOTCONN: [107, "socket is not connected"],
  ENOTDIR: [20, "not a directory"],
  ENOTEMPTY: [39, "directory not empty"],
  ENOTSOCK: [88, "socket operation on non-socket"],
  ENOTSUP: [95, "operation not supported on socket"],
  ENOTTY: [25, "inappropriate ioctl for device"],
  ENXIO: [6, "no such device or address"],
  EOPNOTSUPP: [95, "operation not supported on socket"],
  EOVERFLOW: [75, "value too large for defined data type"],
  EPERM: [1, "operation not permitted"],
  EPIPE: [32, "broken pipe"],
  EPROTO: [71, "protocol error"],
  EPROTONOSUPPORT: [93, "protocol not supported"],
  EPROTOTYPE: [91, "protocol wrong type for socket"],
  ERANGE: [34, "result too large"],
  EROFS: [30, "read-only file system"],
  ESPIPE: [29, "invalid seek"],
  ESRCH: [3, "no such process"],
  ESTALE: [116, "unknown error"],
  ETIME: [62, "unknown error"],
  ETIMEDOUT: [110, "connection timed out"],
  ETXTBSY: [26, "text file is busy"],
  EWOULDBLOCK: [11, "resource temporarily unavailable"],
  EXDEV: [18, "cross-device link not permitted"],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

export type ErrorName = keyof typeof ERRORS;

const NAMES: ReadonlyMap<number, ErrorName> = new Map(
  Object.entries(ERRORS)
    .reverse() // Of two names for a number the first one is the usual one.
    .map(([name, [number]]) => [number, name as ErrorName]),
);

/** For example `ENOENT`; `Unknown system error 1234` for a number without a name. */
export function errorName(errno: number): string {
  return NAMES.get(errno) ?? `Unknown system error ${String(-errno)}`;
}

export function errorText(errno: number): string {
  const name = NAMES.get(errno);
  return name === undefined ? "unknown error" : ERRORS[name][1];
}
