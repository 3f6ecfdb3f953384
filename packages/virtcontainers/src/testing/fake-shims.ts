import { spawn } from "node:child_process";
import { identifyProcess, signalProcess } from "@kata-ts/linux";
import { KataError, reasonOf } from "../errors.ts";
import type { Agent, ConnectAgent } from "../ports/agent.ts";
import type { Shim, ShimRequest, Shims } from "../ports/shims.ts";

/** What a shim exits with that has lost its guest. */
const GUEST_LOST = 255;
const KILLED = 137;

/** Shims that are idle processes; each ends when the fake agent says that its process ended. */
export class FakeShims implements Shims {
  /** Makes the next takeover fail. */
  failure: Error | undefined;
  readonly #connect: ConnectAgent;

  constructor(connect: ConnectAgent) {
    this.#connect = connect;
  }

  launch(request: ShimRequest): Shim {
    const child = spawn("/bin/sleep", ["1000"], { stdio: "ignore", detached: true });
    const identity = identifyProcess(child.pid ?? 0);
    let status = KILLED;
    const exited: Promise<number> = new Promise((resolve) => {
      child.once("exit", () => {
        resolve(status);
      });
    });
    const end = (exitStatus: number): void => {
      status = exitStatus;
      signalProcess(identity, "SIGKILL");
    };
    return {
      identity,
      exited,
      connect: async ({ agent }) => {
        if (this.failure !== undefined) throw this.failure;
        const process = { container_id: request.containerId, exec_id: request.execId };
        void this.#reach(agent)
          .waitProcess(process)
          .then(
            (exit) => {
              end(exit.status);
            },
            () => {
              end(GUEST_LOST);
            },
          );
      },
      kill: () => {
        end(KILLED);
      },
    };
  }

  #reach(agentUrl: string): Agent {
    try {
      return this.#connect(agentUrl);
    } catch (error) {
      throw new KataError("KATA_SHIM", `the shim did not take over: ${reasonOf(error)}`, { cause: error });
    }
  }
}
