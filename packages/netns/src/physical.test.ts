import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bindToVfio, driverOf, giveBackToHost } from "./physical.ts";
import { openVhostNet } from "./vhost.ts";

const ADDRESS = "0000:01:00.0";
let sysfs = "";

beforeEach(() => {
  sysfs = mkdtempSync(join(tmpdir(), "sysfs-"));
  for (const driver of ["ixgbe", "vfio-pci"]) mkdirSync(join(sysfs, "bus/pci/drivers", driver), { recursive: true });
  mkdirSync(join(sysfs, "bus/pci/devices", ADDRESS), { recursive: true });
  drive("ixgbe");
});

afterEach(() => {
  rmSync(sysfs, { recursive: true });
});

const device = (file: string): string => join(sysfs, "bus/pci/devices", ADDRESS, file);

/** What the kernel does when a driver takes a device. */
function drive(driver: string): void {
  rmSync(device("driver"), { force: true });
  symlinkSync(join(sysfs, "bus/pci/drivers", driver), device("driver"));
}

describe("a physical interface", () => {
  it("is taken from its driver by its address alone, and given back", () => {
    expect(driverOf(ADDRESS, sysfs)).toBe("ixgbe");
    bindToVfio(ADDRESS, sysfs);
    expect(readFileSync(device("driver_override"), "utf8")).toBe("vfio-pci\n");
    expect(readFileSync(device("driver/unbind"), "utf8")).toBe(ADDRESS);
    expect(readFileSync(join(sysfs, "bus/pci/drivers_probe"), "utf8")).toBe(ADDRESS);

    drive("vfio-pci");
    giveBackToHost(ADDRESS, "ixgbe", sysfs);
    expect(readFileSync(join(sysfs, "bus/pci/drivers/vfio-pci/unbind"), "utf8")).toBe(ADDRESS);
    expect(readFileSync(device("driver_override"), "utf8")).toBe("\n");
  });

  it("that had no driver is left without one, and one that is back already is left alone", () => {
    unlinkSync(device("driver"));
    giveBackToHost(ADDRESS, "", sysfs);
    drive("ixgbe");
    giveBackToHost(ADDRESS, "ixgbe", sysfs);
    expect(() => readFileSync(device("driver_override"))).toThrow("ENOENT");
  });

  it("is refused by name where the host has no vfio-pci, and where the address is none", () => {
    rmSync(join(sysfs, "bus/pci/drivers/vfio-pci"), { recursive: true });
    expect(() => {
      bindToVfio(ADDRESS, sysfs);
    }).toThrow(expect.objectContaining({ code: "KATA_NETWORK_UNSUPPORTED" }) as Error);
    expect(() => driverOf("../../etc", sysfs)).toThrow("is no PCI address");
  });
});

describe("vhost-net", () => {
  it("is opened once for each queue where it is there, and skipped where it is not", () => {
    expect(openVhostNet(2, join(sysfs, "absent"))).toBeUndefined();
    writeFileSync(join(sysfs, "vhost-net"), "");
    expect(openVhostNet(2, join(sysfs, "vhost-net"))).toHaveLength(2);
  });
});
