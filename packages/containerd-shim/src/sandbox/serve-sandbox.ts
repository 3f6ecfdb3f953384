import { RpcError, RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { containerd } from "#gen/containerd";
import type { Codecs, Handlers, Service } from "../service.ts";
import { timestampOf } from "../timestamp.ts";
import type { Sandbox } from "./sandbox.ts";
import { sandboxRequest } from "./sandbox-config.ts";

const v1: typeof containerd.runtime.sandbox.v1 = containerd.runtime.sandbox.v1;

/** Go's names. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64" };

/** The messages of containerd's Sandbox service, method by method. */
const METHODS = {
  CreateSandbox: { request: v1.CreateSandboxRequest, response: v1.CreateSandboxResponse },
  StartSandbox: { request: v1.StartSandboxRequest, response: v1.StartSandboxResponse },
  Platform: { request: v1.PlatformRequest, response: v1.PlatformResponse },
  StopSandbox: { request: v1.StopSandboxRequest, response: v1.StopSandboxResponse },
  WaitSandbox: { request: v1.WaitSandboxRequest, response: v1.WaitSandboxResponse },
  SandboxStatus: { request: v1.SandboxStatusRequest, response: v1.SandboxStatusResponse },
  PingSandbox: { request: v1.PingRequest, response: v1.PingResponse },
  ShutdownSandbox: { request: v1.ShutdownSandboxRequest, response: v1.ShutdownSandboxResponse },
  SandboxMetrics: { request: v1.SandboxMetricsRequest, response: v1.SandboxMetricsResponse },
} as const satisfies Codecs;

const PATH = /^\/containerd\.runtime\.sandbox\.v1\.Sandbox\/(\w+)$/;

/** @param onShutdown called when containerd wants the shim to end: what is left of the pod goes with it */
export function sandboxService(sandbox: Sandbox, onShutdown: () => void): Service {
  return {
    path: PATH,
    codecs: METHODS,
    handlers: { ...handlersOf(sandbox, onShutdown) },
    idOf: (request) => (request as { readonly sandbox_id: string }).sandbox_id,
  };
}

function handlersOf(sandbox: Sandbox, onShutdown: () => void): Handlers<typeof METHODS> {
  return {
    CreateSandbox: (request) => {
      sandbox.create(() => sandboxRequest(request));
      return {};
    },
    StartSandbox: async ({ sandbox_id }) => {
      const { pid, at } = await sandbox.start(sandbox_id);
      return { pid, created_at: timestampOf(at) };
    },
    Platform: ({ sandbox_id }) => {
      sandbox.check(sandbox_id);
      return { platform: { os: "linux", architecture: ARCHITECTURES[process.arch] ?? process.arch } };
    },
    StopSandbox: async ({ sandbox_id }) => {
      sandbox.check(sandbox_id);
      await sandbox.stop();
      return {};
    },
    WaitSandbox: async ({ sandbox_id }) => {
      sandbox.check(sandbox_id);
      const { status, at } = await sandbox.wait();
      return { exit_status: status, exited_at: timestampOf(at) };
    },
    SandboxStatus: ({ sandbox_id }) => {
      sandbox.check(sandbox_id);
      const { started, exit, isReady } = sandbox;
      return {
        sandbox_id,
        pid: started?.pid ?? 0,
        state: isReady ? "SANDBOX_READY" : "SANDBOX_NOTREADY",
        created_at: started === undefined ? null : timestampOf(started.at),
        exited_at: exit === undefined ? null : timestampOf(exit.at),
      };
    },
    PingSandbox: ({ sandbox_id }) => {
      sandbox.check(sandbox_id);
      return {};
    },
    ShutdownSandbox: async ({ sandbox_id }) => {
      sandbox.check(sandbox_id);
      await sandbox.stop();
      onShutdown();
      return {};
    },
    SandboxMetrics: () => {
      throw new RpcError(RpcStatus.Unimplemented, "a sandbox has no figures beside its containers'");
    },
  };
}
