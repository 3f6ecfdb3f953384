import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootId, identifyProcess } from "@kata-ts/linux";
import { afterEach, beforeEach, expect, it } from "vitest";
import { NAT_NOTE, readNatNote, writeNatNote } from "./nat-note.ts";
import { claimPorts, portsIn } from "./network-place.ts";
import { parsePort } from "./ports.ts";

let bundles = "";
const [own, other] = ["own", "other"].map((name) => () => join(bundles, name)) as [() => string, () => string];
/** No process has this identity. */
const DEAD = { pid: 2 ** 31 - 1, startTime: 0 };
const NAMESPACE = "/run/kata-ts/netns/other";

beforeEach(() => {
  bundles = mkdtempSync(join(tmpdir(), "nat-note-"));
});

afterEach(() => {
  rmSync(bundles, { recursive: true });
});

it("a port of the host leads to one container, while the process lives that keeps the container's network", async () => {
  for (const path of [own(), other()]) mkdirSync(path);
  const ports = parsePort("127.0.0.1:8080:80");
  const keeper = identifyProcess(process.pid);
  writeNatNote(other(), { namespace: NAMESPACE, keeper, ports });
  expect(portsIn(other())).toEqual(ports);
  const wanted = parsePort("8080:81");
  let isNoted = false;
  const note = (): void => {
    isNoted = true;
  };
  await expect(claimPorts(own(), wanted, note)).rejects.toThrow("the host port 8080/tcp leads to other already");
  expect(isNoted).toBe(false);
  writeNatNote(other(), { namespace: NAMESPACE, keeper: DEAD, ports });
  expect(portsIn(other())).toEqual([]);
  await claimPorts(own(), wanted, note);
  expect(isNoted).toBe(true);
});

it("of a range those ports are left that lead to no other container", async () => {
  for (const path of [own(), other()]) mkdirSync(path);
  const keeper = identifyProcess(process.pid);
  writeNatNote(other(), { namespace: NAMESPACE, keeper, ports: parsePort("8000-8001:80-81") });
  const note = (): void => undefined;
  const [port] = await claimPorts(own(), parsePort("8000-8002:80"), note);
  expect(port).toMatchObject({ hostPort: 0, hostPorts: [8002] });
  await expect(claimPorts(own(), parsePort("8000-8001:80"), note)).rejects.toThrow(
    "the host port 8000-8001/tcp leads to other already",
  );
});

it("a keeper of an earlier boot is none, whichever process has its number and its time now", () => {
  const keeper = identifyProcess(process.pid);
  writeNatNote(bundles, { namespace: NAMESPACE, keeper, ports: parsePort("8080:80") });
  expect(readNatNote(bundles)).toMatchObject({ namespace: NAMESPACE, keeper, livePorts: [{ hostPort: 8080 }] });
  const file = join(bundles, NAT_NOTE);
  writeFileSync(file, readFileSync(file, "utf8").replace(bootId(), "00000000-0000-0000-0000-000000000000"));
  expect(readNatNote(bundles)).toEqual({ namespace: NAMESPACE, keeper: undefined, livePorts: [] });
});

it.each(["", "null", "{}", '{"namespace":1,"keeper":{"pid":1,"startTime":1},"ports":[]}'])(
  "a note that is damaged is as good as none: %s",
  (text) => {
    writeFileSync(join(bundles, NAT_NOTE), text);
    expect(readNatNote(bundles)).toBeUndefined();
  },
);
