import { type ContainerConfig, type ContainerId, defaultSpec, parseContainerId } from "../src/index.ts";

export const ID: ContainerId = parseContainerId("web");

/** A container of a shell, as the tests over fakes create it. */
export const CONFIG: ContainerConfig = {
  id: ID,
  rootfs: "/",
  spec: defaultSpec({ args: ["sh"] }),
  bundle: "/b",
  annotations: {},
};

export const SANDBOX = { hostname: "h", sharePidNamespace: false, bootDeadlineMs: 1000 };
