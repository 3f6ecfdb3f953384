import { expect, it } from "vitest";
import { lookedUp, numbersOf } from "./user.ts";

it("a user of two numbers needs no look into the container, any other text does", () => {
  expect(numbersOf("1000:7")).toEqual({ uid: 1000, gid: 7 });
  expect(numbersOf({ uid: 1, gid: 2 })).toEqual({ uid: 1, gid: 2 });
  for (const text of ["1000", "www-data", "www-data:7", "7:adm"]) {
    expect([numbersOf(text), lookedUp(text)]).toEqual([undefined, text]);
  }
  expect([lookedUp("1:2"), lookedUp(undefined), lookedUp({ uid: 1, gid: 2 })]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
