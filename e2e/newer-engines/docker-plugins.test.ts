import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Docker } from "../harness/engines/docker.ts";

let docker: Docker;

beforeAll(async () => {
  docker = await Docker.start();
});

afterAll(async () => {
  await docker[Symbol.asyncDispose]();
});

/** A service that another one finds by its name, once it is healthy. */
function composeFile(runtime: string): string {
  return `name: small-${runtime}
services:
  web:
    image: busybox
    runtime: ${runtime}
    command: ["sh", "-c", "mkdir /w; echo from web > /w/page; exec httpd -f -p 80 -h /w"]
    ports: ["127.0.0.1:8099:80"]
    healthcheck: { test: ["CMD", "wget", "-qO-", "http://127.0.0.1/page"], interval: 1s }
  box:
    image: busybox
    runtime: ${runtime}
    command: ["sh", "-c", "wget -qO- http://web/page; sleep 1000"]
    depends_on: { web: { condition: service_healthy } }
    volumes: ["shared:/shared"]
volumes: { shared: {} }
`;
}

describe.each(["kata", "runc"])("docker compose with %s", (runtime) => {
  expectCleanHost();

  it("brings a project up, and down again", async () => {
    const file = docker.file(`compose-${runtime}.yaml`, composeFile(runtime));
    const project = ["compose", "--ansi", "never", "--file", file] as const;
    const compose = (...args: readonly string[]): Promise<string> => docker.ok(...project, ...args);
    await using undo = new AsyncDisposableStack();
    undo.defer(async () => {
      await compose("down", "--timeout", "0", "--volumes");
    });
    await compose("up", "--wait");
    expect(await compose("exec", "-T", "box", "sh", "-c", "echo written > /shared/x; cat /shared/x")).toBe("written");
    expect(await docker.inNamespace("busybox", "wget", "-qO-", "http://127.0.0.1:8099/page")).toBe("from web");
    const logs = docker.follow(...project, "logs", "--follow", "--no-log-prefix", "box");
    // Compose 2.26 erases a line first, terminal or not.
    expect((await logs.next()).value).toMatch(/from web$/);
    await logs.return(undefined);
    await undo.disposeAsync();
    expect(await docker.ok("ps", "--all", "--quiet")).toBe("");
  });
});

describe("BuildKit with kata", () => {
  expectCleanHost();

  it("runs the steps of a build in VMs, and keeps what they write", async () => {
    const context = docker.directory("build");
    docker.file("build/Dockerfile", "FROM busybox\nRUN uname -r > /kernel; cat /proc/cmdline\nRUN test -s /kernel\n");
    const built = await docker.run(["buildx", "build", "--progress", "plain", "--tag", "built", context]);
    expect(built.stderr).toMatch(/ console=/);
    expect(built.exitCode).toBe(0);
    const kernel = await docker.ok("run", "--rm", "--runtime", "runc", "built", "cat", "/kernel");
    expect(kernel).not.toBe(await docker.inNamespace("uname", "-r"));
    await docker.ok("rmi", "built");
  });

  it("fails where a step fails", async () => {
    const context = docker.directory("failing");
    docker.file(join("failing", "Dockerfile"), "FROM busybox\nRUN exit 7\n");
    const failed = await docker.run(["buildx", "build", "--progress", "plain", context]);
    expect(failed.stderr).toMatch(/exit code: 7/);
    expect(failed.exitCode).not.toBe(0);
  });
});
