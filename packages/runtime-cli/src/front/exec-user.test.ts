import { expect, it } from "vitest";
import { asUser, parseUser } from "./exec-user.ts";

const OWN = { cwd: "/", user: { uid: 1000, gid: 1001, additionalGids: [2000] } };

it("a user by numbers has no group of the container's own user", () => {
  expect(asUser(OWN, "5:6")).toEqual({ process: { cwd: "/", user: { uid: 5, gid: 6 } }, user: undefined });
});

it("a user is looked up by the guest where names, or groups, are missing; without one it is the container's own", () => {
  for (const text of ["web", "web:6", "5:web", "5", "5:", ":6"]) {
    expect(asUser(OWN, text)).toEqual({ process: OWN, user: text });
  }
  expect(asUser(OWN, undefined)).toEqual({ process: OWN, user: undefined });
});

it.each(["4294967296:0", "0:4294967295", "99999999999999999999:0", "4294967295", "web:4294967295"])(
  "a number that Linux does not have is refused, and is not another user: %s",
  (text) => {
    expect(() => parseUser(text)).toThrow("--user takes numbers up to 4294967294");
  },
);

it("a user by names, or by numbers that Linux has, is taken as it is", () => {
  const texts = [undefined, "web", "4294967294:4294967294", "5:web", ":6", "4294967296x"];
  expect(texts.map(parseUser)).toEqual(texts);
});
