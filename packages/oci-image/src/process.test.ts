import { expect, it } from "vitest";
import { processFor } from "./process.ts";

it.each([
  ["app", "app"],
  ["app:adm", "app:adm"],
  ["1234:4321", "1234:4321"],
  ["app:", "app"],
  [":adm", "0:adm"],
  [":", "0"],
  ["", "0"],
  [undefined, "0"],
])("a user %j is left to the guest, and is root where none is named", (User, user) => {
  expect(processFor({ ...(User !== undefined && { User }), Cmd: ["sh"] }).user).toBe(user);
});

it.each(["4294967296:0", "0:4294967295", "4294967295", "app:99999999999999999999", "4294967296:\u001b[2J"])(
  "a user by a number that Linux does not have is refused by the image's name: %j",
  (User) => {
    const name = "image odd:1";
    expect(() => processFor({ User, Cmd: ["sh"] }, undefined, name)).toThrow(
      expect.objectContaining({
        code: "KATA_IMAGE_FORMAT",
        message: expect.stringMatching(
          /^image odd:1 has the user "[\w:\\[]+", and .* up to 4294967294: name another/,
        ) as unknown,
      }),
    );
  },
);

it("the command is the image's, or another one behind its entrypoint, with a PATH", () => {
  const image = { Entrypoint: ["/init"], Cmd: ["serve"], WorkingDir: "/srv", Env: ["A=1"] };
  expect(processFor(image)).toMatchObject({
    args: ["/init", "serve"],
    cwd: "/srv",
    env: [/^PATH=/, "A=1"].map(matching),
  });
  expect(processFor({ ...image, Env: ["PATH=/bin"] }, ["sh"])).toMatchObject({
    args: ["/init", "sh"],
    env: ["PATH=/bin"],
  });
  expect(processFor({ Cmd: ["sh"], WorkingDir: "" }).cwd).toBe("/");
  expect(() => processFor({})).toThrow("the image has no command: give one");
});

function matching(text: RegExp | string): unknown {
  return typeof text === "string" ? text : expect.stringMatching(text);
}
