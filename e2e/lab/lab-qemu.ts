import { join } from "node:path";
import { cachedDir, contentKey, defaultCacheDir } from "@kata-ts/guest-image";
import { execa } from "execa";
import { mmdebstrap } from "./mmdebstrap.ts";
import type { HostSuite } from "./suites.ts";

/** The QEMU that hosts run in: a program, and the arguments that come before a machine's. */
interface LabQemu {
  readonly program: string;
  readonly args: readonly string[];
  readonly version: string;
}

/**
 * The release that it comes from. QEMU 7.2 loses a race between a processor that writes an instruction and another one that
 * translates it: kernels that switch jump labels then die of a breakpoint that was already taken away (ADR 32).
 */
const SUITE: HostSuite = "trixie";
const PACKAGES = ["qemu-system-x86"];

/** Finds it, or fetches it: a minute, once. */
export async function labQemu(): Promise<LabQemu> {
  const dir = await cachedDir(defaultCacheDir(), `lab-qemu-${contentKey(SUITE, ...PACKAGES)}`, (unfinished) =>
    mmdebstrap(SUITE, join(unfinished, "root"), PACKAGES, ["--variant=extract"]),
  );
  const usr = join(dir, "root", "usr");
  const libraries = join(usr, "lib", "x86_64-linux-gnu");
  const program = join(libraries, "ld-linux-x86-64.so.2");
  // The libraries of pulseaudio are beside the others, in a directory that only its own programs know.
  const paths = [libraries, join(libraries, "pulseaudio")].join(":");
  const firmware = ["qemu", "seabios"].flatMap((name) => ["-L", join(usr, "share", name)]);
  const args = ["--library-path", paths, join(usr, "bin", "qemu-system-x86_64"), ...firmware];
  const { stdout } = await execa(program, [...args, "--version"]);
  return { program, args, version: stdout };
}
