import { connect, type Socket } from "node:net";
import { zeroed } from "./abi.ts";
import { call, declareStruct } from "./native.ts";

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const DESCRIPTOR_BYTES = 4;
/** What pads a descriptor to eight bytes. */
const PADDING_BYTES = 4;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const MSG_NOSIGNAL = 0x4000;
const CONNECT_DEADLINE_MS = 10_000;

function declareStructs(): void {
  declareStruct("kata_iovec", { base: "void *", length: "size_t" });
  declareStruct("kata_msghdr", {
    name: "void *",
    nameLength: "uint32_t",
    parts: "kata_iovec *",
    partCount: "size_t",
    control: "void *",
    controlLength: "size_t",
    flags: "int",
  });
}

function message(data: Buffer, control: Buffer): object {
  return {
    name: null,
    nameLength: 0,
    parts: [{ base: data, length: data.length }],
    partCount: 1,
    control,
    controlLength: control.length,
    flags: 0,
  };
}

/** Passes a descriptor over a connected unix socket, together with the data that it belongs to. */
export function sendDescriptor(socket: number, fd: number, data: string): void {
  declareStructs();
  const header = zeroed("cmsghdr"); // Its length with what follows, level, type.
  header.writeBigUInt64LE(BigInt(header.length + DESCRIPTOR_BYTES), 0);
  header.writeInt32LE(SOL_SOCKET, 8);
  header.writeInt32LE(SCM_RIGHTS, 12);
  const control = Buffer.concat([header, Buffer.alloc(DESCRIPTOR_BYTES + PADDING_BYTES)]);
  control.writeInt32LE(fd, header.length);
  const signature = "int64_t sendmsg(int fd, const kata_msghdr *message, int flags)";
  call(signature, `descriptor ${String(fd)}`, socket, message(Buffer.from(data), control), MSG_NOSIGNAL);
}

/** Takes a descriptor that has arrived at a unix socket. @throws LinuxError EAGAIN, or ENOMSG when none came with the data */
export function receiveDescriptor(socket: number): number {
  declareStructs();
  const header = zeroed("cmsghdr").length;
  const control = Buffer.alloc(header + DESCRIPTOR_BYTES + PADDING_BYTES);
  const signature = "int64_t recvmsg(int fd, kata_msghdr *message, int flags)";
  call(signature, String(socket), socket, message(Buffer.alloc(4096), control), MSG_CMSG_CLOEXEC);
  if (control.readInt32LE(12) !== SCM_RIGHTS || control.readBigUInt64LE(0) < BigInt(header + DESCRIPTOR_BYTES)) {
    throw new Error(`no descriptor came over socket ${String(socket)}`);
  }
  return control.readInt32LE(header);
}

/** The descriptor below a connected socket. */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } | null };
  if (handle === null || handle.fd < 0) throw new Error("the socket is not connected");
  return handle.fd;
}

/** Sends a terminal's master to the program that listens on a socket, as runc does for `--console-socket`. */
export async function sendConsole(path: string, master: number): Promise<void> {
  const socket = connect(path);
  const timer = setTimeout(
    () => socket.destroy(new Error(`${path}: no program accepts the connection`)),
    CONNECT_DEADLINE_MS,
  );
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    sendDescriptor(descriptorOf(socket), master, "/dev/ptmx");
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
