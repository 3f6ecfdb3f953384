import { describe, expect, it } from "vitest";
import { checkFiles } from "./check-files.ts";
import { configurationOf } from "./configuration.ts";
import { findInstallation } from "./installation.ts";
import { userRangeOf } from "./user-range.ts";

const given = (line: string) => checkFiles([{ path: "c.toml", text: `[hypervisor.qemu]\n${line}\n` }]);
const confinementOf = (line: string) =>
  configurationOf(given(line).options, findInstallation("/opt/kata/libexec/kata-ts")).qemu.confinement;

describe("the users of QEMUs", () => {
  it("are a range above those of the host", () => {
    expect(userRangeOf("70000-70009")).toEqual({ first: 70_000, last: 70_009 });
    for (const text of [
      "0-10",
      "1000-70000",
      "70009-70000",
      "70000",
      "70000-70000",
      "70000-4294967295",
      "a-b",
      "-70000",
    ])
      expect({ text, range: userRangeOf(text) }).toEqual({ text, range: undefined });
    expect(() => given('vm_users = "0-99"')).toThrow(/not a range of user ids/);
  });

  it("are there unless they are switched off, with a warning", () => {
    expect(confinementOf("")).toMatchObject({ users: { first: 1_900_000_000, last: 1_900_065_535 } });
    expect(confinementOf('vm_users = "70000-70009"')).toMatchObject({ users: { first: 70_000, last: 70_009 } });
    expect(confinementOf("confine_qemu = false")).toBe(false);
    expect(given("confine_qemu = false").warnings).toEqual([expect.stringMatching(/^c\.toml: confine_qemu = false: /)]);
    expect(given("confine_qemu = true").warnings).toEqual([]);
  });
});
