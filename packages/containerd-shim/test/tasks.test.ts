import { RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { describe, expect, it } from "vitest";
import { containerd } from "#gen/containerd";
import { FakeClient } from "./fake-client.ts";

describe("a task", () => {
  it("is created, runs, ends and is deleted, and its events come in that order", async () => {
    const client = new FakeClient();
    expect(await client.create("web")).toMatchObject({ pid: 4242 });
    expect(await client.status("web")).toBe("CREATED");
    expect(await client.start("web")).toMatchObject({ pid: 4242 });
    expect(await client.status("web")).toBe("RUNNING");
    const waited = client.wait("web");
    client.pod.processes.get("web")?.exit(7);
    expect(await waited).toMatchObject({ exit_status: 7 });
    expect(await client.status("web")).toBe("STOPPED");
    expect(await client.delete("web")).toMatchObject({ pid: 4242, exit_status: 7 });
    expect(client.events).toEqual(["create", "start", "exit", "delete"]);
    await expect(client.status("web")).rejects.toMatchObject({ status: RpcStatus.NotFound });
  });

  it("that ends at once is told to have started first", async () => {
    const client = new FakeClient();
    await client.create("web");
    const started = client.start("web");
    client.pod.processes.get("web")?.exit(0);
    await started;
    await client.wait("web");
    expect(client.events).toEqual(["create", "start", "exit"]);
  });

  it("takes an id for itself while it is being made, and gives it back where that fails", async () => {
    const client = new FakeClient();
    const first = client.create("web");
    await expect(client.create("web")).rejects.toMatchObject({ status: RpcStatus.AlreadyExists });
    await first;
    client.pod.failure = new Error("there is no memory");
    await expect(client.create("other")).rejects.toMatchObject({ message: "there is no memory" });
    expect(await client.create("other")).toMatchObject({ pid: 4242 });
    expect(client.events).toEqual(["create", "create"]);
  });

  it("is not deleted while it runs", async () => {
    const client = new FakeClient();
    await client.create("web");
    await client.start("web");
    await expect(client.delete("web")).rejects.toMatchObject({ status: RpcStatus.FailedPrecondition });
    expect(client.pod.calls).not.toContain("delete web");
  });

  it("that was never started is deleted", async () => {
    const client = new FakeClient();
    await client.create("web");
    expect(await client.delete("web")).toMatchObject({ exit_status: 137 });
    expect(client.events).toEqual(["create", "exit", "delete"]);
  });

  it("that has ended is not there to be signalled, in the words that clients look for", async () => {
    const client = new FakeClient();
    await client.create("web");
    await client.start("web");
    await client.kill("web", 9);
    await client.wait("web");
    await expect(client.kill("web", 9)).rejects.toMatchObject({
      status: RpcStatus.NotFound,
      message: "process already finished: not found",
    });
  });

  it("is paused and resumed", async () => {
    const client = new FakeClient();
    await client.create("web");
    await client.start("web");
    await client.call("Pause", "PauseRequest", { id: "web" });
    expect(await client.status("web")).toBe("PAUSED");
    await client.call("Resume", "ResumeRequest", { id: "web" });
    expect(await client.status("web")).toBe("RUNNING");
    expect(client.events).toEqual(["create", "start", "paused", "resumed"]);
  });

  it("is saved, and goes on or exits as runc's options say, whatever they say of processes", async () => {
    const client = new FakeClient();
    await client.create("web");
    await client.start("web");
    const checkpoint = (fields: object): Promise<unknown> =>
      client.call("Checkpoint", "CheckpointTaskRequest", { id: "web", ...fields });
    const options = (fields: object, type_url = "containerd.runc.v1.CheckpointOptions") => ({
      options: { type_url, value: containerd.runc.v1.CheckpointOptions.encode(fields).finish() },
    });
    await checkpoint({ path: "/saved" });
    await checkpoint({ path: "/saved", ...options({ image_path: "/named", file_locks: true, work_path: "/work" }) });
    await checkpoint({ ...options({ image_path: "/named" }) });
    expect(client.pod.calls.slice(-3)).toEqual(["/saved", "/saved", "/named"].map((path) => `checkpoint web ${path}`));
    expect(await client.status("web")).toBe("RUNNING");
    for (const wrong of [{}, { path: "/saved", options: { type_url: "other" } }]) {
      await expect(checkpoint(wrong)).rejects.toMatchObject({ status: RpcStatus.InvalidArgument });
    }
    const before = client.events.length;
    await checkpoint({ path: "/saved", ...options({ exit: true }, "containerd.linux.runc.CheckpointOptions") });
    expect(await client.wait("web")).toMatchObject({ exit_status: 137 });
    expect(client.events.slice(before).sort()).toEqual(["checkpointed", "exit"]);
  });

  it("says why it cannot be saved, in a status that clients know", async () => {
    const client = new FakeClient();
    await client.create("web");
    await client.start("web");
    const why = { code: "KATA_UNSUPPORTED", hint: 'create it with "none" as vm.sharedFs' };
    client.pod.failure = Object.assign(new Error("it shares files"), why);
    const path = "/saved";
    await expect(client.call("Checkpoint", "CheckpointTaskRequest", { id: "web", path })).rejects.toMatchObject({
      status: RpcStatus.Unimplemented,
      message: 'it shares files (create it with "none" as shared_fs in configuration.toml)',
    });
    expect(client.events).toEqual(["create", "start"]);
    await expect(client.call("Checkpoint", "CheckpointTaskRequest", { id: "other", path })).rejects.toMatchObject({
      status: RpcStatus.NotFound,
    });
  });

  it("that was saved is gone on with, and stands still until it is started", async () => {
    const client = new FakeClient();
    const request = { id: "web", bundle: "/nonexistent", checkpoint: "/saved" };
    expect(await client.call("Create", "CreateTaskRequest", request, "CreateTaskResponse")).toMatchObject({
      pid: 4242,
    });
    expect(await client.status("web")).toBe("CREATED");
    await client.start("web");
    expect(client.pod.calls).toEqual(["restore web /saved", "start web"]);
  });

  it("that runs out of memory is reported, and no other", async () => {
    const client = new FakeClient();
    await client.create("web");
    client.pod.runOutOfMemory("web");
    client.pod.runOutOfMemory("another");
    expect(client.events).toEqual(["create", "oom"]);
  });
});

describe("another process of a task", () => {
  it("is added, started, waited for and deleted", async () => {
    const client = new FakeClient();
    await client.create("web");
    await client.start("web");
    await client.exec("web", "shell", "sh", "-c", "exit 3");
    expect(await client.status("web", "shell")).toBe("CREATED");
    expect(await client.start("web", "shell")).toMatchObject({ pid: 4242 });
    expect(client.pod.calls).toContain("exec web shell sh -c exit 3");
    client.pod.processes.get("web/shell")?.exit(3);
    expect(await client.wait("web", "shell")).toMatchObject({ exit_status: 3 });
    expect(await client.delete("web", "shell")).toMatchObject({ exit_status: 3 });
    expect(client.events).toEqual(["create", "start", "exec-added", "exec-started", "exit"]);
    await expect(client.status("web", "shell")).rejects.toMatchObject({ status: RpcStatus.NotFound });
  });

  it("has an id of its own, and a container that runs", async () => {
    const client = new FakeClient();
    await client.create("web");
    await expect(client.exec("web", "shell", "sh")).rejects.toMatchObject({ status: RpcStatus.FailedPrecondition });
    await client.start("web");
    await client.exec("web", "shell", "sh");
    await expect(client.exec("web", "shell", "sh")).rejects.toMatchObject({ status: RpcStatus.AlreadyExists });
  });

  it("that is being started is started once, and is deleted and signalled when it has been", async () => {
    const client = new FakeClient();
    await client.create("web");
    await client.start("web");
    await client.exec("web", "shell", "sh");
    const made = Promise.withResolvers<void>();
    client.pod.execsWaitFor = made.promise;
    const start = client.start("web", "shell");
    await expect(client.start("web", "shell")).rejects.toMatchObject({ status: RpcStatus.FailedPrecondition });
    await expect(client.exec("web", "shell", "sh")).rejects.toMatchObject({ status: RpcStatus.AlreadyExists });
    const deletion = expect(client.delete("web", "shell")).rejects.toMatchObject({
      status: RpcStatus.FailedPrecondition,
    });
    const kill = client.kill("web", 9, "shell");
    made.resolve();
    await Promise.all([start, deletion, kill]);
    expect(await client.wait("web", "shell")).toMatchObject({ exit_status: 137 });
    const [one, other] = await Promise.allSettled([client.delete("web", "shell"), client.delete("web", "shell")]);
    expect([one, other]).toMatchObject([{ status: "fulfilled" }, { reason: { status: RpcStatus.NotFound } }]);
    expect(client.pod.calls.filter((call) => call === "delete web shell")).toHaveLength(1);
  });

  it("is resized before it runs, too", async () => {
    const client = new FakeClient();
    await client.create("web");
    await client.start("web");
    await client.exec("web", "shell", "sh");
    await client.call("ResizePty", "ResizePtyRequest", { id: "web", exec_id: "shell", width: 44, height: 33 });
    await client.start("web", "shell");
    expect(client.pod.processes.get("web/shell")?.sizes).toEqual([{ rows: 33, columns: 44 }]);
  });

  it("is signalled by its id", async () => {
    const client = new FakeClient();
    await client.create("web");
    await client.start("web");
    await client.exec("web", "shell", "sh");
    await client.start("web", "shell");
    await client.kill("web", 9, "shell");
    expect(await client.wait("web", "shell")).toMatchObject({ exit_status: 137 });
    expect(client.pod.calls).toContain("signal web shell 9");
    expect(await client.status("web")).toBe("RUNNING");
  });
});

describe("the service", () => {
  it("answers version 3 as version 2", async () => {
    const client = new FakeClient();
    const request = { id: "none" };
    expect(await client.call("Connect", "ConnectRequest", request, "ConnectResponse", "v3")).toMatchObject({
      shim_pid: process.pid,
    });
  });

  it("refuses what it does not do by name", async () => {
    const client = new FakeClient();
    await client.create("web");
    await expect(client.raw("/containerd.task.v2.Task/Fly", new Uint8Array())).rejects.toMatchObject({
      status: RpcStatus.Unimplemented,
    });
    await expect(client.raw("/other.Service/Create", new Uint8Array())).rejects.toMatchObject({
      status: RpcStatus.Unimplemented,
    });
  });

  it("takes no garbage", async () => {
    const client = new FakeClient();
    const garbage = Buffer.from("ffffffffff", "hex");
    await expect(client.raw("/containerd.task.v2.Task/Create", garbage)).rejects.toMatchObject({
      status: RpcStatus.InvalidArgument,
    });
    await client.create("web");
    await client.start("web");
    await expect(
      client.call("Exec", "ExecProcessRequest", { id: "web", exec_id: "x", spec: { type_url: "other" } }),
    ).rejects.toMatchObject({ status: RpcStatus.InvalidArgument });
  });

  it("ends when it is told to, once it has no container", async () => {
    const client = new FakeClient();
    await client.create("web");
    await client.call("Shutdown", "ShutdownRequest", { id: "web" });
    expect(client.hasEnded).toBe(false);
    await client.delete("web");
    await client.call("Shutdown", "ShutdownRequest", { id: "web" });
    expect(client.hasEnded).toBe(true);
  });

  it("passes limits and figures on", async () => {
    const client = new FakeClient();
    await client.create("web");
    const type_url = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";
    const resources = { type_url, value: Buffer.from('{"memory":{"limit":1048576}}') };
    await client.call("Update", "UpdateTaskRequest", { id: "web", resources });
    expect(client.pod.calls).toContain('update web {"memory":{"limit":1048576}}');
    const { stats } = await client.call("Stats", "StatsRequest", { id: "web" }, "StatsResponse");
    expect(JSON.stringify(stats)).toMatch(/io\.containerd\.cgroups\.v[12]\.Metrics/);
  });
});
