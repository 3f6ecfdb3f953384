import { existsSync } from "node:fs";
import { join } from "node:path";
import { AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";
import { describe, expect, it } from "vitest";
import {
  agent,
  bundle,
  directory,
  hypervisor,
  options,
  SANDBOX_ID,
  status,
  store,
  TYPE,
} from "../../test/pod-over-fakes.ts";
import { Pod } from "./pod.ts";

describe("a pod of this process, over fakes", () => {
  it("kills an exec, too, that is being started when its container is saved to end", async () => {
    hypervisor.isSavable = true;
    const [asked, started] = [Promise.withResolvers<void>(), Promise.withResolvers<object>()];
    const gone = Promise.withResolvers<never>();
    gone.promise.catch(() => undefined);
    const connectAgent = () => ({
      ...agent.connect(),
      execProcess: () => {
        asked.resolve();
        return started.promise;
      },
      ...{ waitProcess: () => gone.promise, readStdout: () => gone.promise, readStderr: () => gone.promise },
    });
    const { makers, ...rest } = options();
    const pod = new Pod({ ...rest, makers: { ...makers, connectAgent: () => connectAgent } });
    const first = await pod.create({ id: "web", bundle: bundle() });
    await pod.start("web");
    const exec = pod.exec("web", "e1", { cwd: "/", args: ["sh"] });
    await asked.promise;
    await pod.checkpoint("web", join(directory, "saved"), { leaveRunning: false });
    gone.reject(new AgentRpcError(RpcStatus.Unavailable, "the guest is gone"));
    started.resolve({});
    const statuses = [first, await exec].map(({ stdout, stderr, exited }) => {
      for (const output of [stdout, stderr]) output.resume();
      return exited.then(({ status: each }) => each);
    });
    expect(await Promise.all(statuses)).toEqual([137, 137]);
    await pod.close();
  });

  it.each([
    ["that is with others in a VM", undefined, "shares its VM with plain"],
    ["of a pod by its annotations", { [TYPE]: "sandbox", [SANDBOX_ID]: "web" }, "annotations make it one of a pod"],
  ])("refuses to save a container %s, before anything changes", async (_what, annotations, reason) => {
    hypervisor.isSavable = true;
    const pod = new Pod(options());
    await pod.create({ id: "web", bundle: bundle(annotations) });
    if (annotations === undefined) await pod.create({ id: "plain", bundle: bundle() });
    await pod.start("web");
    const refused = { code: "KATA_UNSUPPORTED", message: expect.stringContaining(reason) as unknown };
    const calls = [...agent.calls];
    await expect(pod.checkpoint("web", join(directory, "saved"), { leaveRunning: false })).rejects.toMatchObject(
      refused,
    );
    expect(agent.calls).toEqual(calls);
    expect(existsSync(join(directory, "saved"))).toBe(false);
    expect(await status("web")).toBe("running");
    await pod.close();
  });

  it("refuses to save a container that has joined another one's VM, also where that one has gone, by its name", async () => {
    hypervisor.isSavable = true;
    const pod = new Pod(options());
    await pod.create({ id: "web", bundle: bundle() });
    await pod.create({ id: "plain", bundle: bundle() });
    for (const id of ["web", "plain"]) await pod.start(id);
    await pod.delete("web", { force: true });
    await expect(pod.checkpoint("plain", join(directory, "saved"))).rejects.toMatchObject({
      code: "KATA_UNSUPPORTED",
      message: "container plain cannot be saved: it has joined the VM of web, which has gone since",
    });
    expect(await status("plain")).toBe("running");
    await pod.close();
  });

  it("restores no container that is to be of a pod, or that has another terminal", async () => {
    hypervisor.isSavable = true;
    const saved = join(directory, "saved");
    const other = new Pod(options());
    await other.create({ id: "web", bundle: bundle() });
    await other.start("web");
    await other.checkpoint("web", saved);
    await expect(other.restore({ id: "app", bundle: bundle(), directory: saved })).rejects.toMatchObject({
      code: "KATA_STATE",
      message: expect.stringContaining("cannot be restored into the VM of a pod") as unknown,
    });
    await other.close();
    const pod = new Pod(options());
    const refused = (message: string) => ({
      code: "KATA_UNSUPPORTED",
      message: expect.stringContaining(message) as unknown,
    });
    const member = bundle({ [TYPE]: "container", [SANDBOX_ID]: "pause" });
    await expect(pod.restore({ id: "app", bundle: member, directory: saved })).rejects.toMatchObject(
      refused("annotations make it one of a pod"),
    );
    const plain = bundle();
    const withTerminal = { ...plain.spec, process: { ...plain.spec.process, cwd: "/", terminal: true } };
    const terminal = { ...plain, spec: withTerminal };
    await expect(pod.restore({ id: "app", bundle: terminal, directory: saved })).rejects.toMatchObject(
      refused("was saved without a terminal"),
    );
    expect(await store.list()).toEqual([]);
    await pod.close();
  });
});
