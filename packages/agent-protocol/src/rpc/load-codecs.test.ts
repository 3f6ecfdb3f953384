import { expect, it } from "vitest";
import { calls } from "./calls.ts";
import type { RpcName } from "./contract.ts";
import { codecsOf } from "./load-codecs.ts";
import { rpcs } from "./table.ts";

const NAMES = Object.keys(calls) as RpcName[];

// What a module of codecs has is said by its types, which the generator wrote beside it: nothing else compares the two.
it.each(NAMES)("%s finds its codecs in its group", async (name) => {
  const { request, response } = await codecsOf(name);
  expect(request.decode(request.encode({}).finish())).toBeTypeOf("object");
  expect(response.decode(response.encode({}).finish())).toBeTypeOf("object");
});

it("a server has the codecs of all of them", () => {
  const incomplete = NAMES.filter((name) => {
    const { path, request, response } = rpcs[name];
    return path !== calls[name].path || [request, response].some((codec) => typeof codec.decode !== "function");
  });
  expect(incomplete).toEqual([]);
});
