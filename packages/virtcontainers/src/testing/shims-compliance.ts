import { equal, ok, rejects } from "node:assert/strict";
import { isAlive } from "@kata-ts/linux";
import type { Agent } from "../ports/agent.ts";
import type { Shims } from "../ports/shims.ts";
import type { ComplianceCase } from "./compliance.ts";

/** Shims, and an agent without a sandbox whose processes run until they are signalled. */
export interface ShimsUnderTest {
  readonly shims: Shims;
  readonly agent: Agent;
  /** Leads to the agent. */
  readonly agentUrl: string;
  /** Leads to none. */
  readonly deadUrl: string;
  /** Ends the guest with its agent. */
  readonly loseGuest: () => void;
}

const PROCESS = { container_id: "a", exec_id: "a" };
const REQUEST = { containerId: "a", execId: "a" };
const SIGTERM = 15;

/** The rules of Shims. */
export const shimsCompliance: readonly ComplianceCase<ShimsUnderTest>[] = [
  {
    rule: "launches a process that lives until it is killed, twice; one that is shared lives on",
    check: async ({ shims }) => {
      const shim = shims.launch(REQUEST);
      ok(isAlive(shim.identity));
      shim.kill();
      await shim.exited;
      equal(isAlive(shim.identity), shim.isShared === true);
      shim.kill();
    },
  },
  {
    rule: "gives each process a shim of its own, whose end is not that of others",
    check: async ({ shims }) => {
      const [first, second] = [shims.launch(REQUEST), shims.launch({ ...REQUEST, execId: "b" })];
      try {
        equal(first.identity.pid === second.identity.pid, first.isShared === true);
        first.kill();
        await first.exited;
        ok(isAlive(second.identity));
      } finally {
        second.kill();
        await second.exited;
      }
    },
  },
  {
    rule: "exits with the status of the process that it stands in for",
    check: async ({ shims, agent, agentUrl }) => {
      await startProcess(agent);
      const shim = shims.launch(REQUEST);
      try {
        await shim.connect({ agent: agentUrl });
        ok(isAlive(shim.identity));
        await agent.signalProcess({ ...PROCESS, signal: SIGTERM });
        equal(await shim.exited, 128 + SIGTERM);
      } finally {
        shim.kill();
      }
    },
  },
  {
    rule: "exits with 255 when the guest is lost",
    check: async ({ shims, agent, agentUrl, loseGuest }) => {
      await startProcess(agent);
      const shim = shims.launch(REQUEST);
      try {
        await shim.connect({ agent: agentUrl });
        loseGuest();
        equal(await shim.exited, 255);
      } finally {
        shim.kill();
      }
    },
  },
  {
    rule: "says that it could not take over where there is no agent",
    check: async ({ shims, deadUrl }) => {
      const shim = shims.launch(REQUEST);
      try {
        await rejects(shim.connect({ agent: deadUrl }), { code: "KATA_SHIM" });
      } finally {
        shim.kill();
        await shim.exited;
      }
    },
  },
];

async function startProcess(agent: Agent): Promise<void> {
  await agent.createSandbox({});
  await agent.createContainer(PROCESS);
  await agent.startContainer({ container_id: PROCESS.container_id });
}
