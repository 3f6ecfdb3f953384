import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, type ProcessIdentity } from "@kata-ts/linux";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AllPorts,
  createContainer,
  defaultSpec,
  deleteContainer,
  FileStore,
  killContainer,
  noCgroups,
  noNetwork,
  parseContainerId,
  pauseContainer,
  resumeContainer,
  type Shim,
  type ShimRequest,
  startContainer,
  statusOf,
} from "../src/index.ts";
import { FakeAgent, FakeHypervisor, FakeShims } from "../src/testing/index.ts";

const ID = parseContainerId("one");
const SPEC = defaultSpec({ args: ["sh"] });
const CONFIG = { id: ID, rootfs: "/", spec: SPEC, bundle: "/b", annotations: {} };
const SANDBOX = { hostname: "h", sharePidNamespace: false, bootDeadlineMs: 1000 };
const SIGTERM = 15;

/** A host of fakes, but for the records, which are files with their locks. */
class FakeHost extends FakeHypervisor implements Disposable {
  readonly root: string = mkdtempSync(join(tmpdir(), "kata-model-"));
  readonly shims: ProcessIdentity[] = [];
  readonly ports: AllPorts;
  readonly #agents: Map<string, FakeAgent> = new Map();

  constructor() {
    super();
    const connectAgent = (url: string) => this.#agent(url).connect();
    const shims = new FakeShims(connectAgent);
    const launch = (request: ShimRequest): Shim => {
      const shim = shims.launch(request);
      this.shims.push(shim.identity);
      return shim;
    };
    this.ports = {
      store: new FileStore(this.root),
      hypervisor: this,
      connectAgent,
      network: noNetwork,
      cgroups: noCgroups,
      shims: { launch },
      warn: () => undefined,
    };
  }

  /** Its guest ends with a VM. */
  override forget(dir: string): void {
    super.forget(dir);
    this.#agent(`fake://${dir}`).end();
  }

  #agent(url: string): FakeAgent {
    const agent = this.#agents.get(url) ?? new FakeAgent();
    this.#agents.set(url, agent);
    return agent;
  }

  async left(): Promise<unknown> {
    const vms = (await this.found()).map(({ state }) => state.dir);
    return { records: readdirSync(this.root), vms, shared: [...this.shared.keys()], shims: this.shims.filter(isAlive) };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

type Operation = "create" | "start" | "kill" | "pause" | "resume" | "delete" | "delete --force";
type State = "none" | "created" | "running" | "paused" | "stopped";

const operation: fc.Arbitrary<Operation> = fc.constantFrom(
  ...(["create", "start", "kill", "pause", "resume", "delete", "delete --force"] as const),
);

async function perform(name: Operation, { ports }: FakeHost): Promise<void> {
  if (name === "create") await createContainer(CONFIG, SANDBOX, ports);
  else if (name === "start") await startContainer(ID, ports);
  else if (name === "kill") await killContainer(ID, SIGTERM, false, ports);
  else if (name === "pause") await pauseContainer(ID, ports);
  else if (name === "resume") await resumeContainer(ID, ports);
  else await deleteContainer(ID, { force: name === "delete --force" }, ports);
}

/** The reference: what an operation makes of a state, or the code of its refusal. */
function expected(name: Operation, state: State): State | `KATA_${string}` {
  if (name === "create") return state === "none" ? "created" : "KATA_ID_IN_USE";
  if (name === "delete --force") return "none";
  if (state === "none") return "KATA_NOT_FOUND";
  const moves: Readonly<Record<string, Readonly<Partial<Record<State, State>>>>> = {
    start: { created: "running" },
    kill: { created: "stopped", running: "stopped", paused: "stopped" },
    pause: { running: "paused" },
    resume: { paused: "running" },
    delete: { created: "none", stopped: "none" },
  };
  return moves[name]?.[state] ?? "KATA_STATE";
}

async function stateOf({ ports }: FakeHost): Promise<State> {
  try {
    return statusOf(await ports.store.read(ID)) as State;
  } catch {
    return "none";
  }
}

describe("one container, against the reference state machine", () => {
  it("does what the machine does, whatever is asked in whatever order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 20 }), async (operations) => {
        using host = new FakeHost();
        let state: State = "none";
        for (const name of operations) {
          const outcome = await perform(name, host).then(
            () => undefined,
            (error: unknown) => (error as { code?: string }).code,
          );
          const should = expected(name, state);
          if (should.startsWith("KATA_")) {
            expect({ name, state, outcome }).toEqual({ name, state, outcome: should });
            continue;
          }
          expect({ name, state, outcome }).toEqual({ name, state, outcome: undefined });
          state = should as State;
          // The shim of a process that was killed ends a moment later.
          while (state === "stopped" && (await stateOf(host)) !== "stopped") await new Promise(setImmediate);
          expect(await stateOf(host)).toBe(state);
        }
        await perform("delete --force", host);
        expect(await host.left()).toEqual({ records: [], vms: [], shared: [], shims: [] });
      }),
      { numRuns: 100 },
    );
  }, 120_000);

  it("refuses by name and leaves nothing, with many callers at once", async () => {
    const callers = fc.array(fc.array(operation, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 6 });
    const refusals = new Set([
      "KATA_ID_IN_USE",
      "KATA_NOT_FOUND",
      "KATA_STATE",
      "KATA_VM_GONE",
      "KATA_AGENT",
      "KATA_SHIM",
    ]);
    await fc.assert(
      fc.asyncProperty(callers, async (lists) => {
        using host = new FakeHost();
        const call = async (operations: readonly Operation[]): Promise<void> => {
          for (const name of operations) {
            await perform(name, host).catch((error: unknown) => {
              const { code, stack } = error as { code?: string; stack?: string };
              expect(refusals, `${name}: ${String(stack)}`).toContain(code);
            });
          }
        };
        await Promise.all(lists.map(call));
        await perform("delete --force", host);
        expect(await host.left()).toEqual({ records: [], vms: [], shared: [], shims: [] });
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});
