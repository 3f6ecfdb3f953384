import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { containerd, runtime } from "#gen/containerd";
import { FakeClient } from "./fake-client.ts";

const messages = containerd.runtime.sandbox.v1;
type Messages = typeof messages;

/** Calls the Sandbox service as containerd 2 does: by paths and bytes. */
async function call(
  client: FakeClient,
  method: string,
  {
    request,
    fields,
    response,
  }: {
    readonly request: keyof Messages;
    readonly fields?: object;
    readonly response?: keyof Messages;
  },
): Promise<Record<string, unknown>> {
  const codec: { encode(fields: unknown): { finish(): Uint8Array } } = messages[request];
  const bytes = codec.encode({ sandbox_id: "pod", ...fields }).finish();
  const reply = await client.raw(`/containerd.runtime.sandbox.v1.Sandbox/${method}`, bytes);
  return response === undefined ? {} : Object.fromEntries(Object.entries(messages[response].decode(reply)));
}

const create = (client: FakeClient, fields = {}) =>
  call(client, "CreateSandbox", { request: "CreateSandboxRequest", fields });
const start = (client: FakeClient) =>
  call(client, "StartSandbox", { request: "StartSandboxRequest", response: "StartSandboxResponse" });
const status = (client: FakeClient) =>
  call(client, "SandboxStatus", { request: "SandboxStatusRequest", response: "SandboxStatusResponse" });
const wait = (client: FakeClient) =>
  call(client, "WaitSandbox", { request: "WaitSandboxRequest", response: "WaitSandboxResponse" });
const stop = (client: FakeClient) => call(client, "StopSandbox", { request: "StopSandboxRequest" });

describe("a sandbox", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "sandbox-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("is created, started, stopped and shut down, with the pid of its VM", async () => {
    const client = new FakeClient();
    await create(client);
    expect(await status(client)).toEqual({ sandbox_id: "pod", info: {}, state: "SANDBOX_NOTREADY" });
    expect(await start(client)).toMatchObject({ pid: 4242 });
    expect(await status(client)).toMatchObject({ pid: 4242, state: "SANDBOX_READY" });
    const waited = wait(client);
    await stop(client);
    // A status of 0 is not on the wire.
    expect(Object.keys(await waited)).toEqual(["exited_at"]);
    const after = await status(client);
    expect([after.state, after.exited_at]).toEqual(["SANDBOX_NOTREADY", expect.anything()]);
    await stop(client);
    expect(client.hasEnded).toBe(false);
    await call(client, "ShutdownSandbox", { request: "ShutdownSandboxRequest" });
    expect(client.hasEnded).toBe(true);
  });

  it("is what a kubelet says, below its pod's cgroup", async () => {
    const client = new FakeClient();
    const value = runtime.v1.PodSandboxConfig.encode({
      hostname: "podhost",
      dns_config: { servers: ["10.96.0.10", "10.96.0.11"], searches: ["a.test", "b.test"], options: ["ndots:5"] },
      annotations: { "io.katacontainers.config.runtime.enable_debug": "true" },
      linux: { cgroup_parent: "/kubepods/pod1" },
    }).finish();
    await create(client, {
      netns_path: "/run/netns/cni-1",
      bundle_path: directory,
      options: { type_url: "types.googleapis.com/runtime.v1.PodSandboxConfig", value },
      annotations: { mine: "yes" },
    });
    await start(client);
    const file = (name: string) => {
      const [type, source, options] = ["bind", join(directory, name), ["rbind", "rprivate", "rw"]];
      return { destination: `/etc/${name}`, type, source, options };
    };
    const shm = { destination: "/dev/shm", type: "bind", source: "/run/kata-containers/sandbox/shm" };
    const wanted = {
      id: "pod",
      networkNamespace: "/run/netns/cni-1",
      hostname: "podhost",
      cgroupsPath: "/kubepods/pod1/pod",
      annotations: { "io.katacontainers.config.runtime.enable_debug": "true", mine: "yes" },
      mounts: [...["hostname", "hosts", "resolv.conf"].map(file), { ...shm, options: ["rbind", "rprivate", "rw"] }],
    };
    expect(client.pod.calls).toEqual([`boot ${JSON.stringify(wanted)}`]);
    const content = (name: string) => readFileSync(join(directory, name), "utf8");
    expect(content("hostname")).toBe("podhost\n");
    expect(content("hosts")).toBe(readFileSync("/etc/hosts", "utf8"));
    expect(content("resolv.conf")).toBe(
      "search a.test b.test\nnameserver 10.96.0.10\nnameserver 10.96.0.11\noptions ndots:5\n",
    );
  });

  it("is in a slice of systemd's where its pod is", async () => {
    const client = new FakeClient();
    const parent = "/kubepods.slice/kubepods-pod1.slice";
    const value = runtime.v1.PodSandboxConfig.encode({ linux: { cgroup_parent: parent } }).finish();
    await create(client, { bundle_path: directory, options: { type_url: "runtime.v1.PodSandboxConfig", value } });
    await start(client);
    expect(readFileSync(join(directory, "resolv.conf"), "utf8")).toBe(readFileSync("/etc/resolv.conf", "utf8"));
    expect(client.pod.calls.join()).toContain('"cgroupsPath":"kubepods-pod1.slice:cri-containerd:pod"');
  });

  it("keeps its shim when its last container is deleted", async () => {
    const client = new FakeClient();
    await create(client);
    await start(client);
    await client.create("app");
    await client.delete("app");
    await client.call("Shutdown", "ShutdownRequest", { id: "app" });
    expect(client.hasEnded).toBe(false);
  });

  it("whose VM ends by itself says so", async () => {
    const client = new FakeClient();
    await create(client);
    await start(client);
    const waited = wait(client);
    client.pod.end();
    expect(await waited).toMatchObject({ exit_status: 255 });
    expect((await status(client)).state).toBe("SANDBOX_NOTREADY");
  });

  it("fails to start with the reason, and starts once after that", async () => {
    const client = new FakeClient();
    await create(client);
    client.pod.failure = new Error("there is no memory");
    await expect(start(client)).rejects.toMatchObject({ message: "there is no memory" });
    await start(client);
    await expect(start(client)).rejects.toMatchObject({ status: RpcStatus.FailedPrecondition });
  });

  it("is one, and answers to its id alone", async () => {
    const client = new FakeClient();
    await expect(status(client)).rejects.toMatchObject({ status: RpcStatus.NotFound });
    await create(client);
    await expect(create(client)).rejects.toMatchObject({ status: RpcStatus.AlreadyExists });
    const other = { request: "PingRequest", fields: { sandbox_id: "other" } } as const;
    await expect(call(client, "PingSandbox", other)).rejects.toMatchObject({ status: RpcStatus.NotFound });
    await call(client, "PingSandbox", { request: "PingRequest" });
  });

  it("runs what this machine runs, and refuses what it does not do by name", async () => {
    const client = new FakeClient();
    await create(client);
    const { platform } = await call(client, "Platform", { request: "PlatformRequest", response: "PlatformResponse" });
    expect(platform).toMatchObject({ os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch });
    await expect(call(client, "SandboxMetrics", { request: "SandboxMetricsRequest" })).rejects.toMatchObject({
      status: RpcStatus.Unimplemented,
    });
    const garbage = Buffer.from("ffffffffff", "hex");
    const path = "/containerd.runtime.sandbox.v1.Sandbox/CreateSandbox";
    await expect(client.raw(path, garbage)).rejects.toMatchObject({ status: RpcStatus.InvalidArgument });
  });
});
