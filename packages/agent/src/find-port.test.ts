import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AGENT_SERIAL_PORT } from "@kata-ts/agent-protocol/guest-contract";
import { expect, it } from "vitest";
import { lookUpPort } from "./channel.ts";

it("finds the agent's port behind a port without a name, as the original's virtconsole", () => {
  const ports = mkdtempSync(join(tmpdir(), "ports-"));
  try {
    mkdirSync(join(ports, "vport0p0"));
    mkdirSync(join(ports, "vport0p1"));
    expect(lookUpPort(AGENT_SERIAL_PORT, ports)).toBeUndefined();
    writeFileSync(join(ports, "vport0p1", "name"), `${AGENT_SERIAL_PORT}\n`);
    expect(lookUpPort(AGENT_SERIAL_PORT, ports)).toBe("vport0p1");
    expect(lookUpPort(AGENT_SERIAL_PORT, join(ports, "missing"))).toBeUndefined();
  } finally {
    rmSync(ports, { recursive: true });
  }
});
