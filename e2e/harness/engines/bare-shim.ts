import { join } from "node:path";
import { TtrpcCaller, unixSocket } from "@kata-ts/agent-protocol/ttrpc";
import protobuf from "protobufjs";
import { runCommand } from "../command.ts";
import { CONTAINERD_SHIM, ROOT } from "../paths.ts";

const PROTO = join(ROOT, "packages/containerd-shim/proto");
const DEADLINE_MS = 120_000;
const NAMESPACE = "e2e";

const root = new protobuf.Root();
const resolve = root.resolvePath.bind(root);
root.resolvePath = (origin, target) =>
  target.startsWith("/") || target.startsWith("google/") ? resolve(origin, target) : join(PROTO, target);
root
  .loadSync(
    ["sandbox.proto", "task.proto", "options.proto", "runc-options.proto"].map((name) => join(PROTO, name)),
    { keepCase: true },
  )
  .resolveAll();

/** Our shim without a containerd: it is started, and called, as containerd 2 does. */
export class BareShim implements Disposable {
  readonly #caller: TtrpcCaller;

  private constructor(address: string) {
    this.#caller = new TtrpcCaller(unixSocket(address));
  }

  /** @param bundle of the container, or the sandbox, that the process is wanted for @returns what `start` prints */
  static async start(id: string, bundle: string): Promise<{ readonly version: number; readonly address: string }> {
    const flags = ["-namespace", NAMESPACE, "-id", id, "-address", "/run/none.sock", "-publish-binary", "/bin/true"];
    const env = { MAX_SHIM_VERSION: "2" };
    const { stdout, stderr, exitCode } = await runCommand(CONTAINERD_SHIM, [...flags, "start"], { cwd: bundle, env });
    if (exitCode !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as { version: number; address: string };
  }

  static connect({ address }: { readonly address: string }): BareShim {
    return new BareShim(address);
  }

  /** `delete`, of which containerd reads a message. */
  static async remove(id: string, bundle: string): Promise<void> {
    const flags = ["-namespace", NAMESPACE, "-id", id, "-address", "/run/none.sock", "-bundle", bundle];
    const { stderr, exitCode } = await runCommand(CONTAINERD_SHIM, [...flags, "delete"], { cwd: bundle });
    if (exitCode !== 0) throw new Error(stderr);
  }

  /** A message with its name, as options are. */
  static any(name: string, fields: object): { readonly type_url: string; readonly value: Uint8Array } {
    const type = root.lookupType(name);
    return { type_url: name, value: type.encode(type.fromObject(fields)).finish() };
  }

  /** A method of the Sandbox service. */
  sandbox(method: string, request: object): Promise<Record<string, unknown>> {
    const message = method === "PingSandbox" ? "Ping" : method;
    const type = `containerd.runtime.sandbox.v1.${message}`;
    const path = `/containerd.runtime.sandbox.v1.Sandbox/${method}`;
    return this.#call(path, `${type}Request`, `${type}Response`, request);
  }

  /** A method of the Task service, in its version 3. @param reply the message of its answer, where that is not empty */
  task(method: string, request: object, reply = true): Promise<Record<string, unknown>> {
    const name = { Create: "CreateTask", Checkpoint: "CheckpointTask" }[method] ?? method;
    const type = `containerd.task.v2.${name}`;
    const response = reply ? `${type}Response` : "google.protobuf.Empty";
    return this.#call(`/containerd.task.v3.Task/${method}`, `${type}Request`, response, request);
  }

  async #call(path: string, from: string, to: string, fields: object): Promise<Record<string, unknown>> {
    const [request, response] = [root.lookupType(from), root.lookupType(to)];
    const bytes = request.encode(request.fromObject(fields)).finish();
    const expiresAt = performance.now() + DEADLINE_MS;
    const call = { path, request: bytes, expiresAt, signal: undefined, waitForReady: false };
    const answer = response.decode(await this.#caller.call(call));
    return response.toObject(answer, { defaults: true, longs: Number });
  }

  [Symbol.dispose](): void {
    this.#caller.close();
  }
}
