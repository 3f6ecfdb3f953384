import { expect, it } from "vitest";
import { noNetwork } from "../network/no-network.ts";
import type { Vm } from "../ports/hypervisor.ts";
import { LeftStanding } from "../ports/left-standing.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { FakeHypervisor } from "../testing/fake-hypervisor.ts";
import { goOnLater } from "./go-on-later.ts";

const standing = new LeftStanding("no monitor", undefined);

async function after(failure: unknown, goOn: (vm: Vm) => Vm["goOn"]): Promise<readonly string[]> {
  const done: string[] = [];
  const vm = await new FakeHypervisor().boot({ sandboxId: "s" });
  const going = goOn(vm);
  vm.goOn = async (options) => {
    done.push(options?.patient === true ? "goes on" : "goes on at once, or never");
    await going(options);
  };
  const network = { ...noNetwork, sync: async () => void done.push("has its network") };
  await goOnLater(failure, { vm, agent: new FakeAgent().connect() }, network, (message) => {
    done.push(message.replace(vm.state.dir, "DIR"));
  });
  await vm.stop();
  return done;
}

it("a VM that a failed snapshot has left standing goes on when its monitor answers, and has its network then", async () => {
  expect(await after(standing, () => () => Promise.resolve())).toEqual(["goes on", "has its network"]);
});

it("a VM that goes on is left alone", async () => {
  expect(await after(new Error("no space left"), () => () => Promise.resolve())).toEqual([]);
});

it("it is said where the VM cannot go on, unless it has ended", async () => {
  const refused = (): Promise<void> => Promise.reject(new Error("no"));
  const message = "the VM in DIR stands still, or has no network: no";
  expect(await after(standing, () => refused)).toEqual(["goes on", message]);
  const ended = (vm: Vm) => async (): Promise<void> => {
    await vm.stop();
    await refused();
  };
  expect(await after(standing, ended)).toEqual(["goes on"]);
});
