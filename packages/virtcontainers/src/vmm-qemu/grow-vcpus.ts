import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { growVcpus, type QmpClient } from "@kata-ts/qemu-driver";
import type { VmState } from "../ports/hypervisor.ts";
import { maxVcpusOf, type QemuConfig } from "./qemu-config.ts";

/**
 * Gives a machine this many more processors than at boot. Under TCG they are there from the start and sleep: QEMU
 * (7.2) aborts when one is plugged in after its translation buffer has been filled once.
 *
 * @returns how many the guest has to switch on
 */
export async function growVcpusOf(
  qmp: QmpClient,
  { accelerator, dir }: VmState,
  config: QemuConfig,
  wanted: number,
): Promise<number> {
  if (accelerator !== "tcg") return growVcpus(qmp, config.vcpus + wanted);
  const file = join(dir, "vcpus");
  const before = Number(await readFile(file, "latin1").catch(() => "0"));
  const room = maxVcpusOf(config, accelerator) - config.vcpus;
  const after = Math.max(before, Math.min(wanted, room));
  await writeFile(`${file}.tmp`, String(after), { mode: 0o600 });
  await rename(`${file}.tmp`, file);
  return after - before;
}
