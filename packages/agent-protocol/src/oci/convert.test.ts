import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { grpc } from "#gen/agent";
import { specFromMessage, specToMessage } from "./convert.ts";
import { parseJson, stringifyJson } from "./json.ts";
import type { RuntimeSpec } from "./runtime-spec.ts";

function roundTrip(spec: RuntimeSpec): RuntimeSpec {
  return specFromMessage(grpc.Spec.decode(grpc.Spec.encode(specToMessage(spec)).finish()));
}

const text = fc.string({ minLength: 1, maxLength: 20 });
const texts = fc.array(text, { minLength: 1, maxLength: 4 });
const positive = fc.integer({ min: 1, max: 2 ** 31 });
const uint64 = fc
  .bigInt({ min: 1n, max: 2n ** 64n - 1n })
  .map((value) => (value <= Number.MAX_SAFE_INTEGER ? Number(value) : value));

const spec: fc.Arbitrary<RuntimeSpec> = fc.record({
  ociVersion: fc.constant("1.0.2"),
  process: fc.record({
    terminal: fc.constant(true),
    user: fc.record({
      uid: fc.nat(),
      gid: fc.nat(),
      additionalGids: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    }),
    args: texts,
    env: texts,
    cwd: text,
    capabilities: fc.record({
      bounding: texts,
      effective: texts,
      inheritable: texts,
      permitted: texts,
      ambient: fc.array(text),
    }),
    rlimits: fc.array(fc.record({ type: text, hard: uint64, soft: uint64 }), { minLength: 1, maxLength: 2 }),
    oomScoreAdj: fc.integer({ min: -1000, max: 1000 }).filter((value) => value !== 0),
  }),
  root: fc.record({ path: text, readonly: fc.constant(true) }),
  hostname: text,
  mounts: fc.array(fc.record({ destination: text, source: text, type: text, options: texts }), {
    minLength: 1,
    maxLength: 3,
  }),
  annotations: fc.dictionary(
    fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
    text,
    { minKeys: 1, maxKeys: 3 },
  ),
  linux: fc.record({
    resources: fc.record({
      devices: fc.array(
        fc.record({
          allow: fc.boolean(),
          type: text,
          major: fc.integer({ min: 0, max: 4095 }),
          minor: fc.integer({ min: 0, max: 4095 }),
          access: text,
        }),
        { minLength: 1, maxLength: 3 },
      ),
      memory: fc.record({ limit: positive, swap: fc.constant(-1), swappiness: positive }),
      cpu: fc.record({ shares: positive, quota: fc.constant(-1), period: positive, cpus: text }),
      pids: fc.record({ limit: fc.integer({ min: -1, max: 100 }) }),
    }),
    namespaces: fc.array(fc.record({ type: text, path: text }), { minLength: 1, maxLength: 3 }),
    maskedPaths: texts,
    seccomp: fc.record({
      defaultAction: text,
      syscalls: fc.array(
        fc.record({
          names: texts,
          action: text,
          args: fc.array(fc.record({ index: fc.nat(5), value: uint64, op: text }), { minLength: 1, maxLength: 2 }),
        }),
        { minLength: 1, maxLength: 2 },
      ),
    }),
  }),
});

describe("config.json on the wire", () => {
  it("comes back as it went", () => {
    fc.assert(
      fc.property(spec, (given) => {
        expect(roundTrip(given)).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });

  it("keeps 64-bit numbers exact through JSON and protobuf", () => {
    const json =
      '{"ociVersion":"1.0.2","process":{"cwd":"/","rlimits":[{"type":"RLIMIT_CORE","hard":18446744073709551615,"soft":9007199254740993}]}}';
    const given = parseJson(json) as RuntimeSpec;
    const text = stringifyJson(roundTrip(given));
    expect(text).toContain('"hard":18446744073709551615');
    expect(text).toContain('"soft":9007199254740993');
  });

  it("distinguishes an absent device number from device number 0", () => {
    const rules = [
      { allow: true, type: "c", major: 5, minor: 0, access: "rwm" },
      { allow: false, access: "rwm" },
    ];
    const { linux } = roundTrip({ ociVersion: "1.0.2", linux: { resources: { devices: rules } } });
    expect(linux?.resources?.devices).toEqual(rules);
  });

  it("spells out empty capability sets, so that none is not mistaken for the default", () => {
    const { process } = roundTrip({ ociVersion: "1.0.2", process: { cwd: "/", capabilities: {} } });
    expect(process?.capabilities).toEqual({ bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] });
  });
});
