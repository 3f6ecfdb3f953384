import type { SpecDevice, SpecDeviceRule, SpecLinux } from "@kata-ts/agent-protocol";

/**
 * What a container may do with which devices. Without a rule crun lets it open every device of the guest, the image that the
 * guest runs from and the channel to the host among them: as with runc, what no rule allows is denied. Where there are no rules
 * at all, the devices that are made for the container are its own; Kata 1.x's runtime leaves the rules out.
 */
export function deviceRules({ devices = [], resources }: SpecLinux): SpecDeviceRule[] {
  const given = resources?.devices ?? [];
  if (given.length > 0) return [...given];
  return [{ allow: false, access: "rwm" }, ...devices.flatMap(ruleFor)];
}

/** None for a named pipe, which is no device. */
function ruleFor({ type, major, minor }: SpecDevice): SpecDeviceRule[] {
  if (type === "p" || major === undefined || minor === undefined) return [];
  return [{ allow: true, type: type === "b" ? "b" : "c", major, minor, access: "rwm" }];
}
