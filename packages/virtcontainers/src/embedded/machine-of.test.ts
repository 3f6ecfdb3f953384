import { describe, expect, it } from "vitest";
import { type GuestPackage, machineOf } from "./machine-of.ts";

const INSTALLED = { kernelPath: "/installed/vmlinux", imagePath: "/installed/rootfs.ext4" };
const installed = async (): Promise<GuestPackage> => ({ openGuest: async () => INSTALLED });
const missing = async (): Promise<never> => {
  throw new Error("Cannot find package '@kata-ts/guest'");
};

describe("machineOf", () => {
  it("boots the installed guest where options name no other", async () => {
    expect(await machineOf(undefined, undefined, installed)).toMatchObject({ ...INSTALLED, memoryMiB: 2048 });
    expect(await machineOf({ memoryMiB: 256 }, undefined, installed)).toMatchObject({ ...INSTALLED, memoryMiB: 256 });
    const own = { kernelPath: "/own/vmlinux" };
    expect(await machineOf(own, undefined, installed)).toMatchObject({ ...INSTALLED, ...own });
  });

  it("needs no installed guest where options name kernel and image", async () => {
    const own = { kernelPath: "/own/vmlinux", imagePath: "/own/rootfs.ext4" };
    expect(await machineOf(own, undefined, missing)).toMatchObject(own);
  });

  it("says what to install where there is no guest, to a program and not to an administrator", async () => {
    const refused = await machineOf({}, undefined, missing).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      name: "KataError",
      code: "KATA_GUEST",
      message: expect.stringContaining("@kata-ts/guest cannot be loaded") as string,
      hint: expect.stringMatching(/^npm install @kata-ts\/guest, or .*vm\.kernelPath/) as string,
    });
  });

  it("passes on why an installed guest is refused, with the hint", async () => {
    const damaged = Object.assign(new Error("it is damaged"), { hint: "install it anew" });
    const openGuest = async (): Promise<never> => {
      throw damaged;
    };
    await expect(machineOf({}, undefined, async () => ({ openGuest }))).rejects.toMatchObject({
      code: "KATA_GUEST",
      message: "it is damaged",
      hint: "install it anew",
      cause: damaged,
    });
  });

  it("ends with the reason of an aborted signal", async () => {
    const aborted = new AbortController();
    const openGuest = async (): Promise<never> => {
      aborted.abort(new Error("enough"));
      throw new Error("interrupted");
    };
    await expect(machineOf({}, aborted.signal, async () => ({ openGuest }))).rejects.toThrow("enough");
  });
});
