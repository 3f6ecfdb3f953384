import { spawn } from "node:child_process";
import { identifyProcess, signalProcess } from "@kata-ts/linux";
import type { ConnectAgent } from "../ports/agent.ts";
import type { Shim, ShimRequest, Shims } from "../ports/shims.ts";

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
    const exited = Promise.withResolvers<number>();
    const end = (status: number): void => {
      signalProcess(identity, "SIGKILL");
      exited.resolve(status);
    };
    child.once("exit", () => {
      exited.resolve(137);
    });
    return {
      identity,
      exited: exited.promise,
      connect: async ({ agent }) => {
        if (this.failure !== undefined) throw this.failure;
        const process = { container_id: request.containerId, exec_id: request.execId };
        void this.#connect(agent)
          .waitProcess(process)
          .then(({ status }) => {
            end(status);
          });
      },
      kill: () => {
        end(137);
      },
    };
  }
}
