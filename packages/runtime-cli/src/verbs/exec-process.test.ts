import { expect, it } from "vitest";
import { asOwnUser } from "./exec-process.ts";

const ROOT = { cwd: "/", user: { uid: 0, gid: 0 } };
const exec = (user: string | undefined, wishes: object) =>
  asOwnUser({ process: ROOT, user }, ["id"], { terminal: false, ...wishes });

it("another process is who the container's first one is, where the guest looks that up, unless numbers are given", () => {
  expect(exec("web", {}).user).toBe("web");
  expect(exec(undefined, {}).user).toBeUndefined();
  expect(exec("web", { user: "5:6" })).toMatchObject({ process: { user: { uid: 5, gid: 6 } }, user: undefined });
});

it("groups are added to those that are known, and to no others", () => {
  const groups = { additionalGids: [7] };
  expect(exec("0", groups)).toMatchObject({ process: { user: { uid: 0, additionalGids: [7] } }, user: undefined });
  expect(exec("web", { ...groups, user: "5" })).toMatchObject({ process: { user: { uid: 5 } }, user: undefined });
  expect(() => exec("web", groups)).toThrow("--additional-gids needs --user: the container's is web");
});
