import { existsSync, readlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { NetnsError } from "./errors.ts";

const SYSFS = "/sys";
const VFIO = "vfio-pci";
const ADDRESS = /^[\da-f]{4}:[\da-f]{2}:[\da-f]{2}\.[0-7]$/;

/** The host's driver of a PCI device; empty where it has none. @param sysfs another root, for tests */
export function driverOf(pciAddress: string, sysfs: string = SYSFS): string {
  const link = join(deviceDirectory(pciAddress, sysfs), "driver");
  return existsSync(link) ? basename(readlinkSync(link)) : "";
}

/**
 * Takes a PCI device from its driver and gives it to vfio-pci.
 *
 * @throws NetnsError KATA_NETWORK_UNSUPPORTED where the host has no vfio-pci
 */
export function bindToVfio(pciAddress: string, sysfs: string = SYSFS): void {
  if (!existsSync(join(sysfs, "bus/pci/drivers", VFIO))) {
    throw new NetnsError(
      "KATA_NETWORK_UNSUPPORTED",
      `PCI device ${pciAddress} cannot be passed on: no ${VFIO} driver`,
      {
        hint: `load the kernel module ${VFIO} and switch the IOMMU on`,
      },
    );
  }
  rebind(pciAddress, VFIO, sysfs);
}

/** Gives it back to the driver it had. */
export function giveBackToHost(pciAddress: string, driver: string, sysfs: string = SYSFS): void {
  if (driverOf(pciAddress, sysfs) === driver) return;
  rebind(pciAddress, driver, sysfs);
  // An empty line takes the override away: from now on the device is matched by its id again.
  writeFileSync(join(deviceDirectory(pciAddress, sysfs), "driver_override"), "\n");
}

// driver_override names this one device; new_id would let vfio-pci take every other of the same model.
function rebind(pciAddress: string, driver: string, sysfs: string): void {
  const device = deviceDirectory(pciAddress, sysfs);
  writeFileSync(join(device, "driver_override"), `${driver}\n`);
  if (existsSync(join(device, "driver"))) writeFileSync(join(device, "driver/unbind"), pciAddress);
  if (driver !== "") writeFileSync(join(sysfs, "bus/pci/drivers_probe"), pciAddress);
}

function deviceDirectory(pciAddress: string, sysfs: string): string {
  if (!ADDRESS.test(pciAddress)) throw new NetnsError("KATA_NETWORK", `"${pciAddress}" is no PCI address`);
  return join(sysfs, "bus/pci/devices", pciAddress);
}
