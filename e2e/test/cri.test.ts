import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Containerd } from "../harness/engines/containerd.ts";
import { Pod } from "../harness/engines/pod.ts";
import { statusesAfterRestart } from "../harness/engines/restart.ts";

let containerd: Containerd;

beforeAll(async () => {
  containerd = await Containerd.start();
});

afterAll(async () => {
  await containerd[Symbol.asyncDispose]();
});

const SERVER = ["python3", "-c", "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8000)"];

describe.each(["kata", "kata-v2", "runc"])("containerd's CRI plugin with %s", (handler) => {
  expectCleanHost();

  it("runs pods of several containers, which share what a pod shares", async () => {
    const volume = containerd.files(`volume-${handler}`);
    writeFileSync(join(volume, "from-host"), "host\n");
    await using pod = await Pod.run(containerd, handler);
    const mounts = [{ container_path: "/data", host_path: volume }];
    const web = await pod.start({ name: "web", image: "python", command: SERVER, mounts });
    const readonly = [{ container_path: "/data", host_path: volume, readonly: true }];
    const box = await pod.start({ name: "box", command: ["sleep", "1000"], mounts: readonly });

    const wget = "until wget -qO- http://127.0.0.1:8000/etc/os-release; do sleep 0.1; done";
    expect(await pod.output(box, "sh", "-c", wget)).toMatch(/Debian/);
    expect(await pod.output(box, "hostname")).toBe("podhost");
    expect(await pod.output(web, "cat", "/etc/hostname")).toBe("podhost");
    await pod.output(web, "sh", "-c", "echo shared memory > /dev/shm/x; echo written > /data/from-web");
    expect(await pod.output(box, "cat", "/dev/shm/x", "/data/from-web")).toBe("shared memory\nwritten");
    expect(readFileSync(join(volume, "from-web"), "utf8")).toBe("written\n");
    expect((await pod.exec(box, "touch", "/data/no")).exit_code).toBe(1);
    // Processes, and everything else, is each container's own.
    expect(await pod.output(box, "sh", "-c", "ps -o comm | grep -c '^python' || true")).toBe("0");
    expect((await pod.exec(box, "sh", "-c", "exit 42")).exit_code).toBe(42);

    const fetched = await containerd.inNamespace([
      "busybox",
      "wget",
      "-qO-",
      `http://${await pod.address()}:8000/etc/os-release`,
    ]);
    expect(fetched.stdout).toMatch(/Debian/);
    const forward = { pod_sandbox_id: pod.id, port: [8000] };
    const forwarded = await pod.stream("PortForward", forward, "GET /etc/os-release HTTP/1.0\r\n\r\n");
    expect(forwarded.stdout).toMatch(/200 OK.*Debian/s);

    // One that goes leaves the others.
    await pod.remove(web);
    expect(await pod.output(box, "cat", "/data/from-host")).toBe("host");
    const again = await pod.start({ name: "web", image: "python", command: SERVER, mounts });
    expect(await pod.output(again, "cat", "/dev/shm/x")).toBe("shared memory");
  });

  it("streams exec, attach and logs, and tells statistics and limits", async () => {
    await using pod = await Pod.run(containerd, handler);
    const resources = { cpu_period: 100_000, cpu_quota: 50_000, memory_limit_in_bytes: 128 * 1024 ** 2 };
    const script = "echo to stdout; echo to stderr >&2; read line; echo got $line; exit 5";
    const box = await pod.start({ name: "box", command: ["sh", "-c", script], stdin: true, resources });
    const other = await pod.start({ name: "other", command: ["sleep", "1000"], resources });

    const run = { container_id: other, cmd: ["sh", "-c", "read a; echo you said $a; echo bad >&2; exit 3"] };
    const exec = await pod.stream("Exec", { ...run, stdin: true, stdout: true, stderr: true }, "yes\n");
    expect(exec.stdout).toBe("you said yes");
    expect(exec.stderr).toMatch(/^bad\n.*"message":"3"/s);
    const late = pod.call("ExecSync", { container_id: other, cmd: ["sleep", "100"], timeout: 1 });
    await expect(late).rejects.toThrow(/timeout|deadline/i);

    await pod.call("UpdateContainerResources", {
      container_id: other,
      linux: { ...resources, memory_limit_in_bytes: 192 * 1024 ** 2, cpu_quota: 80_000 },
    });
    const { stats } = await pod.call<{ stats: { cpu: { usage_core_nano_seconds: { value: number } } } }>(
      "ContainerStats",
      {
        container_id: other,
      },
    );
    expect(stats.cpu.usage_core_nano_seconds.value).toBeGreaterThan(0);

    const attached = await pod.stream(
      "Attach",
      { container_id: box, stdin: true, stdout: true, stderr: true },
      "hello\n",
    );
    expect(attached.stdout).toBe("got hello");
    expect(await pod.ended(box)).toBe(5);
    const log = (await pod.log("box")).map((line) => line.split(" ").slice(1).join(" "));
    expect(log.sort()).toEqual(["stderr F to stderr", "stdout F got hello", "stdout F to stdout"]);
  });

  it("goes on with a process of exec in the middle of which containerd has crashed", async () => {
    await using pod = await Pod.run(containerd, handler);
    const box = await pod.start({ name: "box", command: ["sleep", "1000"] });
    const script = "touch /began; until [ -e /go ]; do sleep 0.1; done; touch /ended";
    const outcome = pod.exec(box, "sh", "-c", script).then(
      () => "answered",
      () => "cut off",
    );
    await pod.output(box, "sh", "-c", "until [ -e /began ]; do sleep 0.1; done");
    await containerd.crash();
    expect(await outcome).toBe("cut off");
    await containerd.startAgain();
    await pod.output(box, "sh", "-c", "touch /go; until [ -e /ended ]; do sleep 0.1; done");
    expect(await pod.output(box, "sh", "-c", "ps -o args | grep -c '[b]egan' || true")).toBe("0");
  });

  it("keeps pods through a restart of containerd, and exit statuses where it can", async () => {
    await using pod = await Pod.run(containerd, handler, { pid: 0 });
    const volume = containerd.files(`go-${handler}`);
    const mounts = [{ container_path: "/go", host_path: volume }];
    const wait = "until [ -e /go/go ]; do sleep 0.1; done; exit 6";
    const ending = await pod.start({ name: "ending", command: ["sh", "-c", wait], mounts });
    const staying = await pod.start({ name: "staying", command: ["sh", "-c", "while :; do sleep 0.1; done"], mounts });
    // They share their processes.
    expect(await pod.output(staying, "sh", "-c", "ps -o args | grep -c '[g]o/go'")).toBe("1");

    // What the kubelet does with a ConfigMap: its files are changed all at once, by one link.
    for (const version of ["1", "2"]) {
      mkdirSync(join(volume, version));
      writeFileSync(join(volume, version, "key"), version);
    }
    symlinkSync("1", join(volume, "data"));
    expect(await pod.output(staying, "cat", "/go/data/key")).toBe("1");
    symlinkSync("2", join(volume, "data.new"));
    renameSync(join(volume, "data.new"), join(volume, "data"));
    expect(
      await pod.output(staying, "sh", "-c", "until grep -q 2 /go/data/key; do sleep 0.1; done; cat /go/data/key"),
    ).toBe("2");

    await containerd.stop();
    writeFileSync(join(volume, "go"), "");
    await containerd.startAgain();
    expect(statusesAfterRestart(6)).toContain(await pod.ended(ending));
    expect(await pod.output(staying, "echo", "alive")).toBe("alive");
  });
});

describe("containerd's CRI plugin", () => {
  expectCleanHost();

  it("has a pod call what its annotation says, and it is called", async () => {
    await using called = await Pod.run(containerd, "runc");
    const address = await called.address();
    for (const port of ["8000", "8001"]) {
      const serve = `import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=${port})`;
      await called.start({ name: `at-${port}`, image: "python", command: ["python3", "-c", serve] });
    }
    const annotations = { "io.katacontainers.config.runtime.egress": `${address}:8000` };
    await using pod = await Pod.run(containerd, "kata-limited", { annotations });
    const box = await pod.start({ name: "box", command: ["httpd", "-f", "-p", "8080", "-h", "/etc"] });
    const fetch = (from: string): string[] => ["wget", "-qO-", `http://${from}/`];
    expect(await pod.output(box, "sh", "-c", `until ${fetch(`${address}:8000`).join(" ")}; do :; done`)).toMatch(/etc/);
    // The host calls both: it is the pod that may not.
    const host = (from: string) => containerd.inNamespace(["busybox", ...fetch(from)]);
    while ((await host(`${address}:8001`)).exitCode !== 0);
    const refused = await pod.exec(box, ...fetch(`${address}:8001`));
    expect([refused.exit_code, refused.stderr.toString()]).toEqual([1, expect.stringContaining("Connection refused")]);
    const answer = await host(`${await pod.address()}:8080`);
    expect(answer.stderr, "it answers").toContain("404");
  });
});
