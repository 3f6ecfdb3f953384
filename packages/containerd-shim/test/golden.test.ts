import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { containerd } from "#gen/containerd";

/** A call that containerd 1.6.20 made, written down by recorder.ts. */
interface Recorded {
  readonly path: string;
  readonly request: string;
}

const calls = JSON.parse(
  readFileSync(new URL("vectors/containerd-1.6.json", import.meta.url), "utf8"),
) as readonly Recorded[];

const { v2 } = containerd.task;

/** The message of each method; most are named by it. */
const REQUESTS: Readonly<
  Record<string, { decode(bytes: Uint8Array): object; encode(message: never): { finish(): Uint8Array } }>
> = {
  State: v2.StateRequest,
  Create: v2.CreateTaskRequest,
  Start: v2.StartRequest,
  Delete: v2.DeleteRequest,
  Pids: v2.PidsRequest,
  Pause: v2.PauseRequest,
  Resume: v2.ResumeRequest,
  Kill: v2.KillRequest,
  Exec: v2.ExecProcessRequest,
  ResizePty: v2.ResizePtyRequest,
  CloseIO: v2.CloseIORequest,
  Wait: v2.WaitRequest,
  Stats: v2.StatsRequest,
  Connect: v2.ConnectRequest,
  Shutdown: v2.ShutdownRequest,
};

const methodOf = ({ path }: Recorded): string => path.slice(path.lastIndexOf("/") + 1);

describe("what containerd sends", () => {
  it("has all methods but Checkpoint and Update, which ctr 1.6 does not send to a container that runs", () => {
    const methods = new Set(calls.map(methodOf));
    expect([...methods].sort()).toEqual(Object.keys(REQUESTS).sort());
  });

  it.each(calls.map((call, index) => ({ name: `${String(index)} ${methodOf(call)}`, call })))(
    "$name is read, and written again byte by byte",
    ({ call }) => {
      const codec = REQUESTS[methodOf(call)];
      const message = codec?.decode(Buffer.from(call.request, "hex"));
      expect(Buffer.from(codec?.encode(message as never).finish() ?? []).toString("hex")).toBe(call.request);
    },
  );

  it("says of a container what it is made of", () => {
    const create = calls.find((call) => methodOf(call) === "Create")?.request ?? "";
    const { id, bundle, rootfs, terminal, stdin, stdout } = v2.CreateTaskRequest.decode(Buffer.from(create, "hex"));
    expect([id, terminal]).toEqual(["one", false]);
    expect(bundle).toMatch(/io\.containerd\.runtime\.v2\.task\/default\/one$/);
    expect(rootfs).toMatchObject([{ type: "overlay", source: "overlay" }]);
    expect(rootfs[0]?.options).toContain("index=off");
    expect([stdin, stdout]).toEqual([expect.stringMatching(/^\/run\/.*-stdin$/), expect.stringMatching(/-stdout$/)]);
  });

  it("says of another process what it runs, and of a signal whose it is", () => {
    const exec = calls.find((call) => methodOf(call) === "Exec")?.request ?? "";
    const { id, exec_id, spec } = v2.ExecProcessRequest.decode(Buffer.from(exec, "hex"));
    expect([id, exec_id, spec?.type_url]).toEqual([
      "one",
      "e1",
      "types.containerd.io/opencontainers/runtime-spec/1/Process",
    ]);
    expect(JSON.parse(Buffer.from(spec?.value ?? []).toString())).toMatchObject({ args: ["true"] });
    const kill = calls.find((call) => methodOf(call) === "Kill")?.request ?? "";
    expect(v2.KillRequest.decode(Buffer.from(kill, "hex"))).toMatchObject({ id: "one", exec_id: "e1", signal: 9 });
  });

  it("says how large a terminal is", () => {
    const resize = calls.find((call) => methodOf(call) === "ResizePty")?.request ?? "";
    expect(v2.ResizePtyRequest.decode(Buffer.from(resize, "hex"))).toMatchObject({ id: "two", width: 44, height: 33 });
  });
});
