import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Containerd } from "../harness/engines/containerd.ts";
import { expectNoShims } from "../harness/engines/no-shims.ts";
import { type ExecResult, Pod } from "../harness/engines/pod.ts";
import { ShimProcess } from "../harness/engines/shim-process.ts";

/** A thousand by `npm run test:soak`. */
const EXITS = Number(process.env.KATA_TEST_FAST_EXITS ?? 60);
const AT_ONCE = 10;
const MANY = 100;
/** Holds a fifo's writing end open until it is to be opened: its readers wait. */
const GATE =
  "mkfifo /gate; exec 3<>/gate; touch /gate-is-closed; until [ -e /open ]; do sleep 0.2; done; exec 3>&-; sleep 10000";

let containerd: Containerd;

beforeAll(async () => {
  containerd = await Containerd.start();
});

afterAll(async () => {
  await containerd[Symbol.asyncDispose]();
});

describe("containerd-shim-kata-v2 with much to do", () => {
  expectCleanHost();
  expectNoShims();

  it(`delivers every byte and every status of ${String(EXITS)} processes that end at once`, async () => {
    await using pod = await Pod.run(containerd, "kata-v2");
    const id = await pod.start({ name: "box", command: ["sleep", "10000"] });
    const left = Array.from({ length: EXITS }, (_, index) => index).values();
    const wrong: number[] = [];
    const worker = async (): Promise<void> => {
      for (const index of left) if (!(await isWhole(pod, id, index))) wrong.push(index);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(wrong).toEqual([]);
  }, 1_200_000);

  it(`runs ${String(MANY)} processes at once, and none fails`, async () => {
    await using pod = await Pod.run(containerd, "kata-v2");
    const id = await pod.start({ name: "box", command: ["sh", "-c", GATE] });
    await pod.output(id, "sh", "-c", "until [ -e /gate-is-closed ]; do sleep 0.2; done");
    const numbers = Array.from({ length: MANY }, (_, index) => index);
    // Each waits until all have begun: they do run at once.
    const wait = "exec 4</gate; touch /up-$0; read nothing <&4; echo $0";
    const all = Promise.all(
      numbers.map((number) =>
        pod.call<ExecResult>("ExecSync", { container_id: id, cmd: ["sh", "-c", wait, String(number)], timeout: 0 }),
      ),
    );
    const up = `until [ $(ls / | grep -c ^up-) = ${String(MANY)} ]; do sleep 1; done; touch /open`;
    const opened = pod.call("ExecSync", { container_id: id, cmd: ["sh", "-c", up], timeout: 0 });
    const [results] = await Promise.all([all, opened]);
    expect(results.map(({ stdout, exit_code }) => [stdout.toString(), exit_code])).toEqual(
      numbers.map((number) => [`${String(number)}\n`, 0]),
    );
  }, 600_000);
});

describe("containerd-shim-kata-v2 and a client that is not containerd", () => {
  expectCleanHost();
  expectNoShims();

  it("refuses ids that are none, and serves on beside a hundred connections of garbage", async () => {
    await using pod = await Pod.run(containerd, "kata-v2");
    const box = await pod.start({ name: "box", command: ["sleep", "10000"] });
    const shim = new ShimProcess(containerd, pod.id);
    for (const id of ["", "..", "../../etc", "a/b", "x".repeat(5_000), "\0", "none"]) {
      await expect(shim.call("State", field(1, id)), id).rejects.toThrow(/does not exist|not found/i);
      await expect(shim.call("Kill", field(1, id)), id).rejects.toThrow(/does not exist|not found/i);
      await expect(shim.call("Delete", field(1, id)), id).rejects.toThrow(/does not exist|not found/i);
    }
    for (const id of ["", "..", "../../etc", "a/b", "x".repeat(5_000), "\0"]) {
      const create = Buffer.concat([field(1, id), field(2, "/nonexistent")]);
      await expect(shim.call("Create", create), id).rejects.toThrow();
    }
    const exec = Buffer.concat([field(1, box), field(2, "e"), field(4, "/nonexistent/fifo")]);
    await expect(shim.call("Exec", exec)).rejects.toThrow();
    const malformed = Buffer.from([0x0a, 0x7f, 0x41]);
    await expect(shim.call("State", malformed)).rejects.toThrow(/malformed/);
    await Promise.all(Array.from({ length: 100 }, (_, index) => shim.sendGarbage(Buffer.alloc(64, 0xff - index))));
    expect(await pod.output(box, "echo", "still there")).toBe("still there");
  });
});

/** Whether a process that prints and ends has had all of its output delivered, and its status. */
async function isWhole(pod: Pod, id: string, index: number): Promise<boolean> {
  const last = index + ((index * 37) % 2_000);
  const script = "seq $0 $1; echo end of $0 >&2; exit $(($0 % 256))";
  const { stdout, stderr, exit_code } = await pod.exec(id, "sh", "-c", script, String(index), String(last));
  const lines = Array.from({ length: last - index + 1 }, (_, line) => `${String(index + line)}\n`).join("");
  return (
    stdout.equals(Buffer.from(lines)) && stderr.toString() === `end of ${String(index)}\n` && exit_code === index % 256
  );
}

/** A field of a message that is text. */
function field(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}
