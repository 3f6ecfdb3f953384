import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { pythonRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";

/** Prints a line for each, and what went wrong in its place. */
const PROBE = `
import ctypes, os, socket, subprocess
libc = ctypes.CDLL(None, use_errno=True)
class Vector(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
def told(name, probe):
    try: print(name + ": " + str(probe()))
    except Exception as error: print(name + ": " + repr(error))
def peek():
    secret = ctypes.create_string_buffer(b"seen")
    child = os.fork()
    if child == 0:
        import time; time.sleep(1000)
    copy = ctypes.create_string_buffer(4)
    there, here = Vector(ctypes.addressof(secret), 4), Vector(ctypes.addressof(copy), 4)
    count = libc.process_vm_readv(child, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    os.kill(child, 9); os.waitpid(child, 0)
    return copy.raw.decode() if count == 4 else os.strerror(ctypes.get_errno())
def interpreted():
    if libc.mount(b"none", b"/mnt", b"binfmt_misc", 0, None) != 0: return os.strerror(ctypes.get_errno())
    with open("/mnt/register", "w") as register: register.write(":kata:M::KATA::/usr/bin/cat:")
    with open("/tmp/program", "w") as program: program.write("KATA shown by its interpreter")
    os.chmod("/tmp/program", 0o755)
    return subprocess.run(["/tmp/program"], capture_output=True, text=True).stdout
def landlocked():
    LANDLOCK_CREATE_RULESET, VERSION = 444, 1
    return libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, VERSION) >= 4
def multipath():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262).connect(server.getsockname())
    return "connected"
told("process_vm_readv", peek)
told("binfmt_misc", interpreted)
told("landlock", landlocked)
told("mptcp", multipath)
told("pid_max", lambda: int(open("/proc/sys/kernel/pid_max").read()) >= 32768)
told("nr_open", lambda: int(open("/proc/sys/fs/nr_open").read()) >= 2 ** 30)
told("threads", lambda: int(open("/proc/sys/kernel/threads-max").read()) >= 768 * 2 ** 20 / (8 * 16 * 1024))
`;

describe("the guest's kernel", () => {
  expectCleanHost();

  it("has what tinyconfig takes away, and limits that grow with the VM", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({
      args: ["python3", "-c", PROBE],
      image: await pythonRootfs(),
      edit: (spec) => {
        const capabilities = ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_KILL"];
        spec.process.capabilities = { bounding: capabilities, effective: capabilities, permitted: capabilities };
        spec.root.readonly = false;
        for (const destination of ["/mnt", "/tmp"]) spec.mounts.push({ destination, type: "tmpfs", source: "tmpfs" });
        spec.linux = { ...(spec.linux as object), resources: { memory: { limit: 768 * 2 ** 20 } } };
      },
    });
    expect((await kata.ok(["run", "--bundle", path, kata.id()])).split("\n")).toEqual([
      "process_vm_readv: seen",
      "binfmt_misc: KATA shown by its interpreter",
      "landlock: True",
      "mptcp: connected",
      "pid_max: True",
      "nr_open: True",
      "threads: True",
    ]);
  });
});
