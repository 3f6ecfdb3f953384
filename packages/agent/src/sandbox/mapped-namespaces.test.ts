import { expect, it } from "vitest";
import { mapLines, wantedUsers } from "./mapped-namespaces.ts";

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
  expect(mapLines(SPEC.linux.uidMappings)).toBe("0 100000 10\n10 5 1\n");
  const { uidMappings, gidMappings } = SPEC.linux;
  expect(wantedUsers(SPEC)).toEqual({ mappings: { uidMappings, gidMappings }, joined: false });
});

it("a user namespace with a path is another container's, whatever the mappings say beside it", () => {
  const linux = { namespaces: [{ type: "user", path: "/proc/7/ns/user" }] };
  expect(wantedUsers({ ...SPEC, linux })).toMatchObject({ joined: true });
  expect(wantedUsers({ ...SPEC, linux: { ...SPEC.linux, ...linux } })).toMatchObject({ joined: true });
});

it("a container without a user namespace has none", () => {
  expect(wantedUsers({ ...SPEC, linux: { ...SPEC.linux, namespaces: [{ type: "pid" }] } })).toBeUndefined();
  expect(wantedUsers({ ociVersion: "1.0.2" })).toBeUndefined();
});
