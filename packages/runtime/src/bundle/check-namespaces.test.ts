import { describe, expect, it } from "vitest";
import { checkNamespaces } from "./check-namespaces.ts";

const spec = (type: string, path?: string): Parameters<typeof checkNamespaces>[0] => ({
  ociVersion: "1.0.2",
  linux: { namespaces: [{ type, ...(path === undefined ? {} : { path }) }] },
});

describe("paths of namespaces", () => {
  it.each([
    ["network", "/proc/self/ns/net"],
    ["pid", "/proc/self/ns/pid"],
    ["ipc", undefined],
    ["ipc", ""],
    ["uts", "/proc/4194304/ns/uts"],
  ])("of the type %s may be %s", (type, path) => {
    expect(() => {
      checkNamespaces(spec(type, path));
    }).not.toThrow();
  });

  it.each([
    ["network", "/proc/self/ns/ipc", "a namespace of the kind ipc, not one of the type network"],
    ["ipc", "/proc/self/ns/net", "a namespace of the kind net, not one of the type ipc"],
    ["pid", "/proc/self/status", "no namespace, not one of the type pid"],
    ["uts", "/etc", "no namespace"],
    ["nonsense", "/proc/self/ns/net", 'there is no type "nonsense"'],
  ])("of the type %s may not be %s", (type, path, message) => {
    expect(() => {
      checkNamespaces(spec(type, path));
    }).toThrow(
      expect.objectContaining({ code: "KATA_CONFIG", message: expect.stringContaining(message) as string }) as Error,
    );
  });
});
