import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, readProcessStat } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addNetwork, type CniAttachment, removeNetwork } from "./cni.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "cni-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** A plugin that is this shell script. */
function plugin(type: string, script: string): { readonly type: string } {
  writeFileSync(join(directory, type), `#!/bin/sh\ncd ${directory}\n${script}\n`, { mode: 0o755 });
  return { type };
}

function attachment(limits: Partial<CniAttachment> = {}): CniAttachment {
  return { containerId: "web", namespace: "/proc/self/ns/net", directory, ...limits };
}

describe("CNI plugins", () => {
  it("are each told what the one before it has made, and are called the other way round to take it back", async () => {
    const script =
      'cat > "$0.$CNI_COMMAND"; echo "$0" >> order; [ $CNI_COMMAND = DEL ] || echo \'{"ips":["10.0.0.2/24"]}\'';
    const plugins = [plugin("one", script), plugin("two", script)];
    await addNetwork(plugins, attachment());
    await removeNetwork(plugins, attachment());
    const told = (name: string): unknown => JSON.parse(readFileSync(join(directory, name), "utf8"));
    expect(told("one.ADD")).toEqual({ cniVersion: "0.4.0", name: "kata-ts", type: "one" });
    expect(told("two.ADD")).toMatchObject({ type: "two", prevResult: { ips: ["10.0.0.2/24"] } });
    const order = readFileSync(join(directory, "order"), "utf8").trim().split("\n");
    expect(order.map((path) => path.slice(directory.length + 1))).toEqual(["one", "two", "two", "one"]);
  });

  it("that refuse say why", async () => {
    const refusing = plugin("full", 'echo \'{"code":11,"msg":"no address is left"}\'; exit 1');
    await expect(addNetwork([refusing], attachment())).rejects.toMatchObject({
      code: "KATA_NETWORK",
      message: expect.stringContaining("full could not ADD: no address is left") as string,
    });
  });

  it("that hang are ended, with what they have started", async () => {
    const hanging = plugin("stuck", "sleep 1000 & echo $! > child; wait");
    await expect(addNetwork([hanging], attachment({ deadlineMs: 500 }))).rejects.toMatchObject({
      code: "KATA_NETWORK",
      message: expect.stringContaining("stuck could not ADD: it was ended") as string,
    });
    const pid = Number(readFileSync(join(directory, "child"), "utf8"));
    while (isAlive({ pid, startTime: readProcessStat(pid)?.startTime ?? -1 })) await new Promise(setImmediate);
  });
});
