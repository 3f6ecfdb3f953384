import { readFileSync } from "node:fs";
import Long from "long";
import { describe, expect, it } from "vitest";
import { type AgentRpcs, agentRpcs, type Codec } from "../src/index.ts";

type ContractRpc = keyof AgentRpcs;

interface Vector {
  readonly message: Record<string, unknown>;
  readonly hex: string;
}

type Golden = Record<ContractRpc, { readonly request: Vector; readonly response: Vector }>;

/** Made by an encoder of our own tests' making, from the field numbers of Kata 1.x's .proto files, not from ours. */
const golden = JSON.parse(readFileSync(new URL("vectors/golden.json", import.meta.url), "utf8")) as Golden;

const BYTES = new Set(["data", "process_list"]);

/** Bytes are hex in the vectors; decoded 64-bit numbers are Long objects. */
function normalise(value: unknown, name = ""): unknown {
  if (Long.isLong(value)) return value.toNumber();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (BYTES.has(name) && typeof value === "string") return value;
  if (Array.isArray(value)) return value.map((item) => normalise(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normalise(item, key)]));
}

function withBytes(value: unknown, name = ""): unknown {
  if (BYTES.has(name) && typeof value === "string") return Buffer.from(value, "hex");
  if (Array.isArray(value)) return value.map((item) => withBytes(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withBytes(item, key)]));
}

const cases = (Object.keys(agentRpcs) as ContractRpc[]).flatMap((name) => [
  { name, side: "request" as const },
  { name, side: "response" as const },
]);

describe("golden encodings", () => {
  it("exist for every RPC of the contract", () => {
    expect(Object.keys(golden).sort()).toEqual(Object.keys(agentRpcs).sort());
    expect(Object.keys(agentRpcs)).toHaveLength(34);
  });

  it.each(cases)("$name $side", ({ name, side }) => {
    const codec = agentRpcs[name][side] as unknown as Codec<unknown, object>;
    const { message, hex } = golden[name][side];
    expect(Buffer.from(codec.encode(withBytes(message)).finish()).toString("hex")).toBe(hex);
    expect(normalise(codec.decode(Buffer.from(hex, "hex")))).toEqual(message);
  });
});
