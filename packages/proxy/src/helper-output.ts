import { Tail, type TiedProcess } from "@kata-ts/linux";

/** The last of what a VM's processes say on their standard errors. */
export function collectStderr(processes: readonly TiedProcess[]): Tail {
  const tail = new Tail(16 * 1024);
  for (const process of processes) {
    process.child.stderr?.on("data", (chunk: Buffer) => {
      tail.push(chunk);
    });
  }
  return tail;
}

/** What Rust says of a thread; since 1.92 with the thread's number. */
const PANIC = /^thread '[^']*'(?: \(\d+\))? panicked at /m;

/**
 * virtiofsd and vhost-device-vsock, in Rust, go on without a thread that has panicked: they would answer nothing any more, and
 * what waits for them would wait for ever. Their end is the VM's, with their words in the record.
 */
export function endAtPanic({ child }: TiedProcess): void {
  child.stderr?.on("data", (chunk: Buffer) => {
    if (PANIC.test(chunk.toString("latin1"))) child.kill("SIGKILL");
  });
}
