import { type Detachable, detachSandbox } from "./detach.ts";
import { endedByLimit, type LimitOptions } from "./limit.ts";
import { PopulatedSandbox } from "./populated-sandbox.ts";
import { checkOptions, limitShape } from "./process-shape.ts";
import { traced } from "./tracing.ts";

/** What of a sandbox is about letting go of it. */
export abstract class DetachableSandbox extends PopulatedSandbox {
  abstract readonly id: string;
  protected abstract readonly detachable: Detachable;

  /**
   * Lets go of the sandbox: it runs on without this program, and `Sandbox.open` takes it over, here or in another program. This object is
   * of no more use then; leaving its scope, or a container's, changes nothing. What its first processes write meanwhile is read, and the last
   * 256 KiB of each output kept. A limit that is reached ends the call only before the first of them is let go of.
   *
   * @throws KataError KATA_UNSUPPORTED for one that was not created to be `detachable`, or has the network `nat`; KATA_STATE while another
   * call is under way, or a process beside the first ones, for a container that is not started, and once it was detached: nothing has changed then.
   * KATA_VM_GONE
   */
  async detach(limits: LimitOptions = {}): Promise<void> {
    checkOptions(limitShape, limits, "detach");
    await traced({ name: "sandbox.detach", sandboxId: this.id }, () =>
      endedByLimit(`the detaching of sandbox ${this.id}`, limits, (signal) => detachSandbox(this.detachable, signal)),
    );
  }
}
