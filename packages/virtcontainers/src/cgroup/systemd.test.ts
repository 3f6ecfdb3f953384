import { describe, expect, it } from "vitest";
import { Systemd } from "./systemd.ts";
import { unitPlaceOf } from "./systemd-path.ts";

/** No process has this number: it counts as ended, and is not waited for. */
const GONE = 2 ** 22 + 1;
const PLACE = unitPlaceOf("machine.slice:libpod:web");

/** A busctl that answers each method once in order, and tells what it was called with. */
function fakeBusctl(answers: Readonly<Record<string, readonly (string | Error)[]>>): {
  readonly systemd: Systemd;
  readonly calls: string[][];
} {
  const calls: string[][] = [];
  const left = Object.fromEntries(Object.entries(answers).map(([method, all]) => [method, [...all]]));
  const systemd = new Systemd((args) => {
    const words = args.slice(args.indexOf("call") + 4);
    calls.push([...words]);
    const answer = left[words[0] ?? ""]?.shift() ?? "";
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  return { systemd, calls };
}

describe("systemd, asked by busctl", () => {
  it("makes a scope around a process: in its slice, delegated, accounted for, with the container's limits", async () => {
    const { systemd, calls } = fakeBusctl({});
    if (PLACE === undefined) throw new Error("no place");
    await systemd.startScope(PLACE, GONE, [["MemoryMax", "t", "1048576"]]);
    const [words = []] = calls;
    expect(words.slice(0, 5)).toEqual(["StartTransientUnit", "ssa(sv)a(sa(sv))", "libpod-web.scope", "fail", "11"]);
    const text = words.join(" ");
    for (const property of ["Slice s machine.slice", "Delegate b true", `PIDs au 1 ${String(GONE)}`]) {
      expect(text).toContain(property);
    }
    expect(text).toMatch(/ MemoryMax t 1048576 0$/);
    expect(calls).toHaveLength(1);
  });

  it("makes it in place of one of the same name that has failed", async () => {
    const exists = new Error("Call failed: Unit libpod-web.scope was already loaded or has a fragment file.");
    const { systemd, calls } = fakeBusctl({ StartTransientUnit: [exists] });
    if (PLACE === undefined) throw new Error("no place");
    await systemd.startScope(PLACE, GONE, []);
    expect(calls.map(([method]) => method)).toEqual(["StartTransientUnit", "ResetFailedUnit", "StartTransientUnit"]);
  });

  it("is quoted where it refuses", async () => {
    const refusal = new Error("Call failed: Cannot set property MemoryMax, or unknown property.");
    const { systemd } = fakeBusctl({ StartTransientUnit: [refusal, refusal], SetUnitProperties: [refusal] });
    if (PLACE === undefined) throw new Error("no place");
    await expect(systemd.startScope(PLACE, GONE, [])).rejects.toMatchObject({
      code: "KATA_CGROUP",
      message:
        "systemd could not make libpod-web.scope in machine.slice: Cannot set property MemoryMax, or unknown property.",
    });
    await expect(systemd.setProperties("libpod-web.scope", [["MemoryMax", "t", "1"]])).rejects.toMatchObject({
      code: "KATA_CGROUP",
    });
  });

  it("stops a scope; a scope that has gone is no error", async () => {
    const { systemd, calls } = fakeBusctl({ StopUnit: [new Error("Call failed: Unit libpod-web.scope not loaded.")] });
    await systemd.stop("libpod-web.scope");
    expect(calls.map((words) => words.join(" "))).toEqual([
      "StopUnit ss libpod-web.scope replace",
      "ResetFailedUnit s libpod-web.scope",
    ]);
    const { systemd: other } = fakeBusctl({ StopUnit: [new Error("Call failed: Access denied")] });
    await expect(other.stop("libpod-web.scope")).rejects.toThrow(
      "systemd could not stop libpod-web.scope: Access denied",
    );
  });
});
