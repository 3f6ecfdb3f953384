import { describe, expect, it } from "vitest";
import { missingPrivileges } from "./privileges.ts";

const INITIAL = "         0          0 4294967295\n";
const ALL = "Name:\tnode\nCapEff:\t000001ffffffffff\n";

describe("the privileges of a process", () => {
  it("are enough for root with all capabilities", () => {
    expect(missingPrivileges({ uid: 0, uidMap: INITIAL, status: ALL })).toBeUndefined();
  });

  it("are not those of an ordinary user, whatever group it is in", () => {
    const missing = missingPrivileges({ uid: 1000, uidMap: INITIAL, status: ALL });
    expect(missing?.problem).toContain("is an ordinary user");
    expect(missing?.remedy).toContain("/dev/kvm is not enough");
  });

  it("are not those of root of a user namespace", () => {
    const missing = missingPrivileges({ uid: 0, uidMap: "         0       1000          1\n", status: ALL });
    expect(missing?.problem).toContain("is root of a user namespace");
  });

  it("are not those of a container's root, which lacks capabilities by name", () => {
    const docker = "CapEff:\t00000000a80425fb\n"; // what Docker gives by default
    const missing = missingPrivileges({ uid: 0, uidMap: INITIAL, status: docker });
    expect(missing?.problem).toBe("is root without CAP_NET_ADMIN, CAP_SYS_ADMIN");
  });

  it("are not doubted where the kernel does not tell", () => {
    expect(missingPrivileges({ uid: 0, uidMap: "", status: "" })).toBeUndefined();
  });
});
