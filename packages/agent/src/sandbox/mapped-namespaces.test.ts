import { expect, it } from "vitest";
import { mappingsOf } from "./mapped-namespaces.ts";

const SPEC = {
  ociVersion: "1.0.2",
  linux: {
    namespaces: [{ type: "user" }],
    uidMappings: [
      { containerID: 0, hostID: 100_000, size: 10 },
      { containerID: 10, hostID: 5, size: 1 },
    ],
    gidMappings: [{ containerID: 0, hostID: 200_000, size: 10 }],
  },
};

it("the mappings of a user namespace are what the kernel takes", () => {
  expect(mappingsOf(SPEC)).toEqual({ uids: "0 100000 10\n10 5 1\n", gids: "0 200000 10\n" });
});

it("a container without a user namespace has none", () => {
  expect(mappingsOf({ ...SPEC, linux: { ...SPEC.linux, namespaces: [{ type: "pid" }] } })).toBeUndefined();
  expect(mappingsOf({ ociVersion: "1.0.2" })).toBeUndefined();
});
