import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { MountedSource } from "../harness/mounted-source.ts";
import { IDLE, startMember, startSandbox } from "../harness/pods.ts";
import { RUNTIMES } from "../harness/runtimes.ts";

const bind = (destination: string, source: string, ...options: string[]) => ({
  destination,
  source,
  type: "bind",
  options,
});

describe.each(RUNTIMES)("bind mounts under %s", (_name, open) => {
  expectCleanHost();

  it("are read-only by ro themselves, by rro with all mounts below, and not at all without", async () => {
    await using runtime = open();
    using source = new MountedSource();
    const script = `
for mount in rw ro rro; do
  for place in . below; do
    if (echo x > /$mount/$place/new) 2>/dev/null; then echo $mount $place: written; else echo $mount $place: refused; fi
    rm -f /$mount/$place/new 2>/dev/null
  done
done; cat /rro/below/file`;
    const { path } = await runtime.bundle({
      args: ["sh", "-c", script],
      edit: (spec) => {
        spec.mounts.push(bind("/rw", source.path, "rbind"), bind("/ro", source.path, "rbind", "ro"));
        spec.mounts.push(bind("/rro", source.path, "rbind", "rro"));
      },
    });
    expect((await runtime.ok(["run", "--bundle", path, runtime.id()])).split("\n")).toEqual([
      ...["rw .: written", "rw below: written", "ro .: refused", "ro below: written"],
      ...["rro .: refused", "rro below: refused", "of the mount below"],
    ]);
  });

  it("get what the host mounts later where they are rslave, and not otherwise", async () => {
    await using runtime = open();
    using source = new MountedSource();
    const id = await runtime.start({
      args: IDLE,
      edit: (spec) => {
        spec.mounts.push(bind("/slave", source.path, "rbind", "rslave"));
        spec.mounts.push(bind("/private", source.path, "rbind", "rprivate"));
      },
    });
    const name = source.mountLater("later");
    expect(await runtime.ok(["exec", id, "cat", `/slave/${name}/file`])).toBe("mounted later");
    expect((await runtime.run(["exec", id, "cat", `/private/${name}/file`])).exitCode).toBe(1);
    await runtime.ok(["delete", "--force", id]);
  });
});

describe("bind mounts under kata-runtime", () => {
  expectCleanHost();

  it("leave the host's mounts where they are when a pod's container is deleted", async () => {
    await using kata = new Kata();
    using source = new MountedSource();
    const sandbox = await startSandbox(kata);
    const edit = (spec: { mounts: object[] }): void => {
      spec.mounts.push(bind("/volume", source.path, "rbind"));
    };
    const member = await startMember(kata, sandbox, IDLE, edit);
    const before = source.mounts();
    await kata.ok(["delete", "--force", member]);
    expect(source.mounts()).toEqual(before);
  });

  it("of files show what an engine has written between create and start", async () => {
    await using kata = Kata.configured('[hypervisor.qemu]\nvirtio_fs_cache = "always"\n');
    const file = kata.file("resolv.conf", "nameserver 192.0.2.1\n");
    const { path } = await kata.bundle({
      args: IDLE,
      edit: (spec) => {
        spec.mounts.push(bind("/told", file, "rbind", "rprivate"));
      },
    });
    const id = kata.id();
    await kata.create(id, path);
    kata.file("resolv.conf", "nameserver 127.0.0.11\nsearch longer.test\n");
    await kata.ok(["start", id]);
    expect(await kata.ok(["exec", id, "cat", "/told"])).toBe("nameserver 127.0.0.11\nsearch longer.test");
    await kata.ok(["delete", "--force", id]);
  });

  it("take every option that features names", async () => {
    await using kata = new Kata();
    using source = new MountedSource();
    const { mountOptions } = JSON.parse(await kata.ok(["features"])) as { mountOptions: string[] };
    // An option of tmpfs alone, and the two that make a bind mount what it is.
    const options = mountOptions.filter((option) => !["tmpcopyup", "bind", "rbind"].includes(option));
    const { path } = await kata.bundle({
      args: ["sh", "-c", "ls -d /with/* | wc -l"],
      edit: (spec) => {
        spec.mounts.push({ destination: "/with", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] });
        for (const option of options) spec.mounts.push(bind(`/with/${option}`, source.path, "rbind", option));
      },
    });
    expect(await kata.ok(["run", "--bundle", path, kata.id()])).toBe(String(options.length));
  });

  it.each(["rshared", "shared", "idmap", "ridmap"])(
    "are refused by name before anything is made: %s",
    async (option) => {
      await using kata = new Kata();
      using source = new MountedSource();
      const { path } = await kata.bundle({
        args: ["true"],
        edit: (spec) => {
          spec.mounts.push(bind("/volume", source.path, "rbind", option));
        },
      });
      const result = await kata.run(["run", "--bundle", path, kata.id()]);
      expect(result.stderr).toMatch(/mount \/volume: .* cannot cross into another kernel/);
      expect(result.exitCode).toBe(1);
    },
  );
});
