import { RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeClient } from "./fake-client.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

it("a process whose start hangs in the guest is waited for a minute by its deletion and by a signal, and no longer", async () => {
  const client = new FakeClient();
  await client.create("web");
  await client.start("web");
  await client.exec("web", "shell", "sh");
  const made = Promise.withResolvers<void>();
  client.pod.execsWaitFor = made.promise;
  const start = client.start("web", "shell");
  const late = {
    status: RpcStatus.DeadlineExceeded,
    message: expect.stringContaining("process shell of container web is still being started after 60 s") as unknown,
  };
  const refused = [client.delete("web", "shell"), client.kill("web", 9, "shell")].map((call) =>
    expect(call).rejects.toMatchObject(late),
  );
  await vi.advanceTimersByTimeAsync(60_000);
  await Promise.all(refused);
  expect(vi.getTimerCount()).toBe(0);
  // It has its id still, by which it is reached once it is there.
  made.resolve();
  await start;
  await client.kill("web", 9, "shell");
  expect(await client.wait("web", "shell")).toMatchObject({ exit_status: 137 });
});
