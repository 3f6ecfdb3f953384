import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KataError } from "../errors.ts";
import type { Agent } from "../ports/agent.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { type FakePorts, fakePorts } from "../testing/fake-ports.ts";
import type { RunningContainer } from "./running-container.ts";
import { Sandbox } from "./sandbox.ts";

let rootfs = "";
let agent: FakeAgent;
let ports: FakePorts;
let overrides: Partial<Agent>;

beforeEach(() => {
  rootfs = mkdtempSync(join(tmpdir(), "detach-calls-"));
  agent = new FakeAgent();
  overrides = {};
  ports = fakePorts(() => ({ ...agent.connect(), ...overrides }));
});

afterEach(() => {
  rmSync(rootfs, { recursive: true });
});

interface Detaching {
  readonly sandbox: Sandbox;
  readonly web: RunningContainer;
  /** Resolves once the first process was let go of, and the VM is next. */
  readonly begun: Promise<void>;
  /** Lets the VM be let go of, or that fail. */
  readonly goOn: (failure?: Error) => void;
}

async function running(): Promise<Detaching> {
  const [begun, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const boot = ports.hypervisor.boot.bind(ports.hypervisor);
  ports.hypervisor.boot = async (request) => {
    const vm = await boot(request);
    const detach = vm.detach.bind(vm);
    vm.detach = async (note) => {
      begun.resolve();
      await answer.promise;
      await detach(note);
    };
    return vm;
  };
  const sandbox = await Sandbox.create({ id: "one", detachable: true, idleWarningMs: 0 }, ports);
  const container = await sandbox.createContainer({ rootfs, id: "web", args: ["sleep", "1000"] });
  const goOn = (failure?: Error): void => {
    if (failure === undefined) answer.resolve();
    else answer.reject(failure);
  };
  return { sandbox, web: await container.start(), begun: begun.promise, goOn };
}

function calls({ sandbox, web }: Detaching): readonly (() => Promise<unknown>)[] {
  return [
    () => web.exec({ args: ["true"] }),
    () => web.run({ args: ["true"] }),
    () => web.pause(),
    () => web.killAll("SIGTERM"),
    () => web.stats(),
    () => web.update({}),
    () => web.processes(),
    () => web.files.readText("/etc/hosts"),
    () => web.files.write("/tmp/new", ""),
    () => sandbox.createContainer({ rootfs, id: "more", args: ["true"] }),
    () => sandbox.run({ rootfs, args: ["true"] }),
    () => sandbox.syncNetwork(),
    () => sandbox.addInterface({ device: "eth1" }),
    () => sandbox.removeInterface({ name: "eth1" }),
    () => sandbox.listInterfaces(),
    () => sandbox.listRoutes(),
    () => sandbox.updateRoutes([]),
    () => sandbox.waitFor({ port: 80 }),
    () => sandbox.snapshot(rootfs),
    () => sandbox.fork(1),
  ];
}

/** Each by the same words, and the guest hears of none. */
async function expectRefused(all: readonly (() => Promise<unknown>)[], message: string): Promise<void> {
  const before = [...agent.calls];
  const refusal = { code: "KATA_STATE", message, hint: "Sandbox.open() takes it over again" };
  for (const call of all) await expect(call(), String(call)).rejects.toMatchObject(refusal);
  expect(agent.calls).toEqual(before);
}

describe("a call that begins", () => {
  it("while its sandbox is detached, or afterwards, is refused, and not cut off in its middle", async () => {
    const here = await running();
    const detaching = here.sandbox.detach();
    await here.begun;
    await expectRefused(calls(here), "sandbox one is being detached");
    here.goOn();
    await detaching;
    await expectRefused(calls(here), "sandbox one was detached");
    await (await Sandbox.open("one", {}, ports)).close();
  });

  it("after a detaching that has failed, is done", async () => {
    const here = await running();
    const detaching = here.sandbox.detach();
    await here.begun;
    here.goOn(new KataError("KATA_PROXY", "no answer"));
    await expect(detaching).rejects.toThrow("no answer");
    await here.web.pause();
    expect(agent.paused).toEqual(["web"]);
    await here.sandbox.close();
  });

  it("before its sandbox is detached keeps that from it, whatever it asks for", async () => {
    const answers: (() => void)[] = [];
    const never = (): Promise<never> =>
      new Promise((_, reject) => {
        answers.push(() => {
          reject(new Error("over"));
        });
      });
    overrides = { statsContainer: never, listRoutes: never };
    const { sandbox, web } = await running();
    for (const call of [() => web.stats(), () => sandbox.listRoutes()]) {
      const asking = call();
      await expect(sandbox.detach(), String(call)).rejects.toMatchObject({
        code: "KATA_STATE",
        message: "sandbox one cannot be detached: a call is under way in this program",
      });
      answers.pop()?.();
      await expect(asking).rejects.toThrow("over");
    }
    await sandbox.close();
  });

  it("is another detaching: it takes nothing from the program that has the sandbox by then", async () => {
    const here = await running();
    here.goOn();
    await Promise.allSettled([here.sandbox.detach(), here.sandbox.detach()]);
    await using _opened = await Sandbox.open("one", {}, ports);
    await expectRefused([() => here.sandbox.detach()], "sandbox one was detached");
    expect((await Sandbox.list({}, ports)).map(({ state }) => state)).toEqual(["running"]);
  });
});
