import { expect, it } from "vitest";
import { vsockOf, vsockWarnings } from "./vsock.ts";

const THERE = "/dev/null";
const MISSING = "/dev/no-such-device";

it("the serial port is what a VM has unless vsock is asked for", () => {
  expect(vsockOf({}, THERE)).toBeUndefined();
  expect(vsockOf({ use_vsock: false, vsock_daemon: "/bin/daemon" }, THERE)).toBeUndefined();
  expect(vsockWarnings({}, MISSING)).toEqual([]);
});

it("vsock is the host kernel's, or a daemon's where one is named", () => {
  expect(vsockOf({ use_vsock: true, vsock_daemon: "" }, THERE)).toEqual({});
  expect(vsockOf({ use_vsock: true, vsock_daemon: "/bin/daemon" }, MISSING)).toEqual({ daemonPath: "/bin/daemon" });
  expect(vsockWarnings({ use_vsock: true, vsock_daemon: "/bin/daemon" }, MISSING)).toEqual([]);
});

it("a host without vsock uses the serial port, and says so", () => {
  expect(vsockOf({ use_vsock: true }, MISSING)).toBeUndefined();
  expect(vsockWarnings({ use_vsock: true }, MISSING)).toEqual([expect.stringContaining(MISSING)]);
});
