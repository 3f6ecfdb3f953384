/**
 * For tests of programs that use this library, and of new implementations of its ports: fakes that keep the ports'
 * rules, and the rules themselves.
 *
 * @example
 * ```ts
 * import { FakeAgent, FakeShims, fakePorts } from "@kata-ts/virtcontainers/testing";
 *
 * const agent = new FakeAgent({ stdout: "hello", status: 0 });
 * const connectAgent = () => agent.connect();
 * const ports = { ...fakePorts(connectAgent), shims: new FakeShims(connectAgent) };
 * ```
 *
 * @module
 */
export { type AgentUnderTest, agentCompliance } from "./agent-compliance.ts";
export { ALL_CAPABILITIES } from "./all-capabilities.ts";
export { type CgroupsUnderTest, cgroupsCompliance } from "./cgroups-compliance.ts";
export type { ComplianceCase } from "./compliance.ts";
export { type ExampleVm, exampleRecord, runningRecord } from "./example-record.ts";
export { FakeAgent, type FakeProgram } from "./fake-agent.ts";
export { FakeCgroups } from "./fake-cgroups.ts";
export { FakeHypervisor } from "./fake-hypervisor.ts";
export { FakeNetwork } from "./fake-network.ts";
export { type FakePorts, fakePorts } from "./fake-ports.ts";
export { FakeShims } from "./fake-shims.ts";
export { writeFakeSnapshot } from "./fake-snapshot.ts";
export { FakeVmm, type FakeVmmOptions } from "./fake-vmm.ts";
export { detachingCompliance, hypervisorCompliance } from "./hypervisor-compliance.ts";
export { type NetworkUnderTest, networkCompliance } from "./network-compliance.ts";
export { type ShimsUnderTest, shimsCompliance } from "./shims-compliance.ts";
export { storeCompliance } from "./store-compliance.ts";
export { vmmCompliance } from "./vmm-compliance.ts";
export type { HostDisk, HostNic, VmmUnderTest } from "./vmm-under-test.ts";
