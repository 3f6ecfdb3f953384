import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { portsOf, readNote } from "./network-note.ts";

const ATTACHMENT = { containerId: "one", namespace: "/run/netns/one" };
const PORTS = [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }];

describe("the note of a bundle's network", () => {
  let file = "";

  beforeEach(() => {
    file = join(mkdtempSync(join(tmpdir(), "note-")), "network.json");
  });

  afterEach(() => {
    rmSync(join(file, ".."), { recursive: true });
  });

  it("is read as it was written", () => {
    const note = { plugins: [{ type: "portmap", runtimeConfig: { portMappings: PORTS } }], attachment: ATTACHMENT };
    writeFileSync(file, JSON.stringify(note));
    expect(readNote(file)).toEqual(note);
    expect(readNote(file)?.plugins.flatMap(portsOf)).toEqual(PORTS);
  });

  it.each([
    '{"plugins":[',
    "null",
    JSON.stringify({ plugins: [null], attachment: ATTACHMENT }),
    JSON.stringify({ plugins: [{ type: "portmap", runtimeConfig: { portMappings: [{}] } }], attachment: ATTACHMENT }),
    JSON.stringify({ plugins: [], attachment: { ...ATTACHMENT, deadlineMs: "soon" } }),
  ])("is as good as none where it is damaged: %s", (text) => {
    writeFileSync(file, text);
    expect(readNote(file)).toBeUndefined();
  });
});
