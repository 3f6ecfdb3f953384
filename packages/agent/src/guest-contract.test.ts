import { readFileSync } from "node:fs";
import { AgentParameter, INIT_LOG_PREFIX } from "@kata-ts/agent-protocol/guest-contract";
import { expect, it } from "vitest";

// A shell script cannot import the contract.
const init = readFileSync(new URL("../../guest-image/rootfs/init", import.meta.url), "utf8");

it("has an init that announces itself as the host expects", () => {
  expect(init).toContain(`\necho "${INIT_LOG_PREFIX}`);
});

it("has an init that reads the parameter by which the host turns compilation off", () => {
  expect(init).toContain(`*" ${AgentParameter.jit}=off "*)`);
});
