import { randomBytes } from "node:crypto";
import { buffer, text } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import { AgentRpcError, type AgentRpcs, agentRpcs, RpcStatus } from "@kata-ts/agent-protocol";
import { PolledProcess } from "@kata-ts/shim";
import { describe, expect, it } from "vitest";
import { exec, guestWithRootfs, output, spec, startContainer, startedSandbox } from "../harness/agent-calls.ts";
import { expectCleanHost } from "../harness/clean-host.ts";

const UNSERVED: readonly (keyof AgentRpcs)[] = ["startTracing", "stopTracing", "memHotplugByProbe"];

describe("the agent, over the original's contract", () => {
  expectCleanHost();

  it("gives a process's streams over the contract's RPCs, and a terminal, to a client without process streams", async () => {
    await using guest = await guestWithRootfs();
    using agent = await guest.connect();
    await startedSandbox(agent);
    await startContainer(agent, "box", ["sleep", "1000"]);
    const start = async (execId: string, args: readonly string[], terminal = false): Promise<PolledProcess> => {
      const { Process } = spec(args);
      await agent.execProcess({ container_id: "box", exec_id: execId, process: { ...Process, Terminal: terminal } });
      return new PolledProcess(agent, { containerId: "box", execId });
    };

    using echo = await start("echo", ["sh", "-c", "cat; echo err >&2; exit 6"]);
    const data = randomBytes(1_000_001);
    echo.stdin.end(data);
    const [stdout, stderr] = await Promise.all([buffer(echo.stdout), text(echo.stderr)]);
    expect(stdout.equals(data)).toBe(true);
    expect(stderr).toBe("err\n");
    expect(await echo.wait()).toBe(6);

    using shell = await start("shell", ["sh", "-c", "read line; stty size; exit 7"], true);
    shell.resize({ rows: 30, columns: 90 });
    shell.stdin.write("go\r");
    expect(await text(shell.stdout)).toBe("go\r\n30 90\r\n");
    expect(await text(shell.stderr)).toBe("");
    expect(await shell.wait()).toBe(7);

    using yes = await start("yes", ["yes"]);
    yes.stdout.once("data", () => {
      yes.readerGone("stdout");
    });
    yes.stderr.resume();
    // Outputs go with the process: a read that is under way when it is waited for would fail.
    await Promise.all([finished(yes.stdout), finished(yes.stderr)]);
    expect(await yes.wait()).toBe(128 + 13);
    await expect(agent.ttyWinResize({ container_id: "box", exec_id: "box", row: 1, column: 1 })).rejects.toMatchObject({
      status: RpcStatus.FailedPrecondition,
    });
  });

  it("runs containers, their processes and what belongs to them", async () => {
    await using guest = await guestWithRootfs();
    using agent = await guest.connect();

    expect(await agent.version({})).toMatchObject({ grpc_version: "0.0.1" });
    await expect(agent.createContainer({ container_id: "early", OCI: spec(["true"]) })).rejects.toMatchObject({
      status: RpcStatus.FailedPrecondition,
    });
    await startedSandbox(agent);
    await expect(startedSandbox(agent)).rejects.toMatchObject({ status: RpcStatus.AlreadyExists });

    await startContainer(agent, "one", ["sh", "-c", "hostname; echo no >&2; exit 9"]);
    expect(await output(agent, "one")).toEqual({ stdout: "pod\n", stderr: "no\n", status: 9 });
    // Several may wait, also later.
    expect((await agent.waitProcess({ container_id: "one", exec_id: "one" })).status).toBe(9);
    await expect(exec(agent, "one", "late", "true")).rejects.toMatchObject({ status: RpcStatus.FailedPrecondition });
    await agent.removeContainer({ container_id: "one" });
    await expect(agent.removeContainer({ container_id: "one" })).rejects.toMatchObject({
      status: RpcStatus.NotFound,
      message: "Container one not found",
    });

    await startContainer(agent, "two", ["sleep", "1000"]);
    await expect(agent.createContainer({ container_id: "two", OCI: spec(["true"]) })).rejects.toMatchObject({
      status: RpcStatus.AlreadyExists,
    });
    expect(await exec(agent, "two", "a", "echo out; exit 3")).toEqual({ stdout: "out\n", stderr: "", status: 3 });
    await expect(agent.waitProcess({ container_id: "two", exec_id: "a" })).rejects.toMatchObject({
      status: RpcStatus.NotFound,
    });

    const pids = await agent.listProcesses({ container_id: "two", format: "json" });
    expect(JSON.parse(Buffer.from(pids.process_list).toString())).toHaveLength(1);
    const table = await agent.listProcesses({ container_id: "two", format: "table", args: ["-o", "pid,args"] });
    expect(Buffer.from(table.process_list).toString()).toMatch(/PID.*\n\s*\d+ sleep 1000\n$/);

    await agent.updateContainer({
      container_id: "two",
      resources: { Memory: { Limit: 64 * 1024 * 1024 }, Pids: { Limit: 50 }, CPU: { Shares: 512 } },
    });
    const stats = await agent.statsContainer({ container_id: "two" });
    expect(Number(stats.cgroup_stats?.memory_stats?.usage?.limit)).toBe(64 * 1024 * 1024);
    expect(Number(stats.cgroup_stats?.pids_stats?.limit)).toBe(50);
    expect(Number(stats.cgroup_stats?.cpu_stats?.cpu_usage?.total_usage)).toBeGreaterThan(0);

    await agent.pauseContainer({ container_id: "two" });
    await agent.resumeContainer({ container_id: "two" });
    expect((await exec(agent, "two", "b", "echo thawed")).stdout).toBe("thawed\n");

    await agent.signalProcess({ container_id: "two", exec_id: "two", signal: 9 });
    expect(await output(agent, "two")).toMatchObject({ status: 137 });
    await agent.signalProcess({ container_id: "two", exec_id: "two", signal: 9 }); // already over: no error
    await agent.destroySandbox({});
  });

  it("carries input to a process, and what it reads to its end", async () => {
    await using guest = await guestWithRootfs();
    using agent = await guest.connect();
    await startedSandbox(agent);
    await startContainer(agent, "cat", ["cat"]);
    expect(await agent.writeStdin({ container_id: "cat", exec_id: "cat", data: Buffer.from("first ") })).toMatchObject({
      len: 6,
    });
    await agent.writeStdin({ container_id: "cat", exec_id: "cat", data: Buffer.from("second") });
    await agent.closeStdin({ container_id: "cat", exec_id: "cat" });
    expect(await output(agent, "cat")).toEqual({ stdout: "first second", stderr: "", status: 0 });
    expect(await agent.writeStdin({ container_id: "cat", exec_id: "cat", data: Buffer.from("late") })).toMatchObject({
      len: 0,
    });
  });

  it("answers UNIMPLEMENTED, by name, for what comes later", async () => {
    await using guest = await guestWithRootfs();
    using agent = await guest.connect();
    for (const name of UNSERVED) {
      const error: unknown = await agent[name]({}).catch((reason: unknown) => reason);
      expect(error, name).toBeInstanceOf(AgentRpcError);
      expect(error).toMatchObject({
        status: RpcStatus.Unimplemented,
        message: expect.stringContaining(agentRpcs[name].path) as string,
      });
    }
  });

  it("survives the host side going away and coming back", async () => {
    await using guest = await guestWithRootfs();
    const first = await guest.connect();
    await startedSandbox(first);
    await startContainer(first, "stays", ["sh", "-c", "read line; echo $line"]);
    const cut = first.readStdout({ container_id: "stays", exec_id: "stays", len: 100 });
    cut.catch(() => undefined);
    await guest.disconnect();
    await expect(cut).rejects.toBeInstanceOf(AgentRpcError);
    first.close();
    using second = await guest.connect();
    await second.writeStdin({ container_id: "stays", exec_id: "stays", data: Buffer.from("after the gap\n") });
    expect(await output(second, "stays")).toMatchObject({ stdout: "after the gap\n", status: 0 });
  });

  it("leaves no zombie behind, whatever orphaned it", async () => {
    await using guest = await guestWithRootfs();
    using agent = await guest.connect();
    await startedSandbox(agent, true);
    await startContainer(agent, "storm", ["sleep", "1000"], true);
    const storm =
      "for i in $(seq 40); do sh -c '(sleep 0.2 &) ; (true &)' & done; wait; sleep 1; ps -o stat,args | grep -c '^Z' ";
    expect((await exec(agent, "storm", "s", storm)).stdout.trim()).toBe("0");
  });

  it("drives runc as well as crun", async () => {
    await using guest = await guestWithRootfs({ kernelParams: ["agent.container_runtime=runc"] });
    using agent = await guest.connect();
    await startedSandbox(agent);
    await startContainer(agent, "r", ["sleep", "1000"]);
    expect(await exec(agent, "r", "e", "echo by runc; exit 4")).toEqual({ stdout: "by runc\n", stderr: "", status: 4 });
    await agent.pauseContainer({ container_id: "r" });
    await agent.resumeContainer({ container_id: "r" });
    await agent.signalProcess({ container_id: "r", exec_id: "r", signal: 15 });
    await agent.signalProcess({ container_id: "r", exec_id: "r", signal: 9 });
    expect((await output(agent, "r")).status).toBe(137);
    await agent.removeContainer({ container_id: "r" });
  });
});
