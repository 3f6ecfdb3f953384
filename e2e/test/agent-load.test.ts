import { describe, expect, it } from "vitest";
import { guestWithRootfs, spec, startContainer, startedSandbox } from "../harness/agent-calls.ts";
import { expectCleanHost } from "../harness/clean-host.ts";

const AT_ONCE = 64;
/** Of a request that starts a process, as engines' are: variables of images and of Kubernetes' services. */
const REQUEST_BYTES = 3 * 1024;

describe("an agent with much to do", () => {
  expectCleanHost();

  it("answers while a lot of processes begin at once", async () => {
    await using guest = await guestWithRootfs();
    using agent = await guest.connect();
    await startedSandbox(agent);
    await startContainer(agent, "a", ["sleep", "1000"]);
    const { Process: plain } = spec(["sleep", "1000"]);
    const variables = [...(plain?.Env ?? []), `SERVICES=${"x".repeat(REQUEST_BYTES)}`];
    const Process = { ...plain, Env: variables };
    let begun = 0;
    const beginning = Array.from({ length: AT_ONCE }, async (_, index) => {
      await agent.execProcess({ container_id: "a", exec_id: `exec-${String(index)}`, process: Process });
      begun += 1;
    });
    /** How many had begun when the agent answered, each number once. */
    const answered: Set<number> = new Set();
    while (begun < AT_ONCE) {
      await agent.check({});
      answered.add(begun);
    }
    await Promise.all(beginning);
    expect(answered.size).toBeGreaterThan(AT_ONCE / 4);
  });
});
