/**
 * For tests of programs that use this library, and of new implementations of its ports: fakes that keep the ports'
 * rules, and the rules themselves.
 *
 * @example
 * ```ts
 * import { FakeAgent, FakeHypervisor, FakeShims } from "@kata-ts/virtcontainers/testing";
 * import { MemoryStore, noNetwork } from "@kata-ts/virtcontainers";
 *
 * const agent = new FakeAgent({ stdout: "hello", status: 0 });
 * const connectAgent = () => agent.connect();
 * const environment = {
 *   store: new MemoryStore(),
 *   hypervisor: new FakeHypervisor(),
 *   connectAgent,
 *   network: noNetwork,
 *   shims: new FakeShims(connectAgent),
 * };
 * ```
 *
 * @module
 */
export { type AgentUnderTest, agentCompliance } from "./agent-compliance.ts";
export type { ComplianceCase } from "./compliance.ts";
export { FakeAgent, type FakeProgram } from "./fake-agent.ts";
export { FakeHypervisor } from "./fake-hypervisor.ts";
export { FakeShims } from "./fake-shims.ts";
export { hypervisorCompliance } from "./hypervisor-compliance.ts";
export { exampleRecord, storeCompliance } from "./store-compliance.ts";
