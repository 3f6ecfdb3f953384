import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Commands } from "../commands.ts";

export interface RuntimePlaces {
  /** Where the image has runtimes that nearly no guest uses, compressed. */
  readonly packed: string;
  /** In memory. */
  readonly unpacked: string;
}

const PLACES: RuntimePlaces = { packed: "/usr/sbin", unpacked: "/run/kata-containers" };

/**
 * The program that makes this guest's containers: one that the image has compressed is unpacked into memory first.
 *
 * @param name as the kernel's parameter has it, such as `runc`
 * @throws Error with the words of what could not unpack it
 */
export async function runtimeProgram(
  name: string,
  commands: Pick<Commands, "run">,
  { packed, unpacked }: RuntimePlaces = PLACES,
): Promise<string> {
  const archive = join(packed, `${name}.gz`);
  if (name.includes("/") || !existsSync(archive)) return name;
  const program = join(unpacked, name);
  const unpack = 'gunzip -c "$1" >"$2" && chmod 755 "$2"';
  const { status, stderr } = await commands.run("sh", ["-c", unpack, "sh", archive, program]);
  if (status === 0) return program;
  throw new Error(`${archive} cannot be unpacked to ${program}: ${stderr.trim()}; does the guest have memory for it?`);
}
