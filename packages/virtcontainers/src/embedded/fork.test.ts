import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { FakeAgent } from "../testing/fake-agent.ts";
import { fakePorts } from "../testing/fake-ports.ts";
import { writeFakeSnapshot } from "../testing/fake-snapshot.ts";
import { type Forked, fork } from "./fork.ts";
import type { CopyOptions } from "./fork-options.ts";
import { ForkPlace } from "./fork-place.ts";

/** A directory for copies, removed in the end. */
async function scratch(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "forks-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** A sandbox, how often it has stood still, and which of its copies have ended. */
class FakeForked implements Forked<AsyncDisposable & { readonly id: string }> {
  readonly options: Forked<AsyncDisposable>["options"];
  readonly ports: ReturnType<typeof fakePorts> = fakePorts(() => new FakeAgent().connect());
  readonly ended: string[] = [];
  saved = 0;
  /** Called before a copy is made. */
  onCopy: (id: string, signal: AbortSignal | undefined) => void | Promise<void> = () => undefined;

  constructor(options: Forked<AsyncDisposable>["options"] = {}) {
    this.options = options;
  }

  async save(directory: string) {
    this.saved += 1;
    const { created } = await writeFakeSnapshot(directory, await this.ports.hypervisor.fingerprint());
    return { directory, created: new Date(created), sandboxId: "s", containers: [] };
  }

  async copy(_: unknown, { id, signal }: CopyOptions) {
    await this.onCopy(id, signal);
    return {
      id,
      [Symbol.asyncDispose]: async () => {
        this.ended.push(id);
      },
    };
  }
}

it("gives copies their ids, and leaves no file", async () => {
  await using at = await scratch();
  const copies = await fork(3, { directory: at.path, ids: ["one", "two"] }, new FakeForked());
  expect(copies.map(({ id }) => id)).toEqual(["one", "two", expect.stringMatching(/^[\w-]{36}$/)]);
  expect(await readdir(at.path)).toEqual([]);
});

it.each<[string, string, Forked<AsyncDisposable>["options"], Parameters<typeof fork>[1]]>([
  ["an id given twice", "KATA_CONFIG", {}, { ids: ["one", "one"] }],
  ["more ids than copies", "KATA_CONFIG", {}, { ids: ["one", "two", "three"] }],
  ["an id that leads elsewhere", "KATA_ID_INVALID", {}, { ids: ["../one"] }],
  ["ports without a network", "KATA_CONFIG", {}, { ports: [{ container: 80 }] }],
  ["a namespace for two", "KATA_UNSUPPORTED", { network: { namespace: "/run/netns/pod" } }, {}],
])("refuses %s before the sandbox stands still", async (_, code, options, wanted) => {
  const forked = new FakeForked(options);
  await expect(fork(2, wanted, forked)).rejects.toMatchObject({ code });
  expect(forked.saved).toBe(0);
});

it("ends with the signal's reason, and so do the copies that were made", async () => {
  await using at = await scratch();
  const caller = new AbortController();
  const forked = new FakeForked();
  forked.onCopy = (id) => {
    if (id !== "two") return;
    caller.abort(new Error("enough"));
    throw new Error("the VM has ended");
  };
  const forking = fork(2, { directory: at.path, ids: ["one", "two"], signal: caller.signal }, forked);
  await expect(forking).rejects.toThrow("enough");
  expect(forked.ended).toEqual(["one"]);
  expect(await readdir(at.path)).toEqual([]);
});

it("ends the other copies where one cannot be made, whose failure it throws", async () => {
  await using at = await scratch();
  const forked = new FakeForked();
  const given: string[] = [];
  forked.onCopy = async (id, signal) => {
    if (id === "made") return;
    if (id === "failing") throw new Error("the VM has ended");
    await new Promise((resolve) => signal?.addEventListener("abort", resolve));
    given.push(id);
    signal?.throwIfAborted();
  };
  const ids = ["made", "booting", "failing"];
  await expect(fork(3, { directory: at.path, ids }, forked)).rejects.toThrow("the VM has ended");
  expect(given).toEqual(["booting"]);
  expect(forked.ended).toEqual(["made"]);
  expect(await readdir(at.path)).toEqual([]);
});

it("removes what a call has left that was killed, and nothing of another's", async () => {
  await using at = await scratch();
  await using running = await ForkPlace.make(at.path);
  const [abandoned, open] = [join(at.path, "kata-fork-killed"), join(at.path, "kata-fork-open")];
  await mkdir(abandoned, { mode: 0o700 });
  await writeFile(join(abandoned, "memory"), "secret");
  await mkdir(open, { mode: 0o755 });
  for (const path of [abandoned, open, running.path]) await utimes(path, 0, 0);
  await fork(1, { directory: at.path }, new FakeForked());
  expect((await readdir(at.path)).sort()).toEqual(
    [running.path, open].map((path) => path.slice(at.path.length + 1)).sort(),
  );
});
