import { deepEqual, equal, rejects } from "node:assert/strict";
import { type ContainerId, parseContainerId } from "../identifiers.ts";
import type { Store } from "../ports/store.ts";
import type { ComplianceCase } from "./compliance.ts";
import { exampleRecord } from "./example-record.ts";

const A: ContainerId = parseContainerId("a");
const B: ContainerId = parseContainerId("b");

/** The rules of Store. Each needs an empty one. */
export const storeCompliance: readonly ComplianceCase<Store>[] = [
  {
    rule: "gives back what was claimed",
    check: async (store) => {
      await store.claim(exampleRecord("a"));
      deepEqual(await store.read(A), exampleRecord("a"));
    },
  },
  {
    rule: "gives an id to one caller only",
    check: async (store) => {
      const claims = await Promise.allSettled(Array.from({ length: 5 }, () => store.claim(exampleRecord("a"))));
      equal(claims.filter(({ status }) => status === "fulfilled").length, 1);
      await rejects(store.claim(exampleRecord("a")), { code: "KATA_ID_IN_USE" });
    },
  },
  {
    rule: "knows nothing of ids that were not claimed",
    check: async (store) => {
      await rejects(store.read(A), { code: "KATA_NOT_FOUND" });
      await rejects(
        store.update(A, (record) => record),
        { code: "KATA_NOT_FOUND" },
      );
      deepEqual(await store.list(), []);
    },
  },
  {
    rule: "counts changes, and loses none of many at once",
    check: async (store) => {
      await store.claim(exampleRecord("a"));
      await Promise.all(
        Array.from({ length: 10 }, (_, turn) =>
          store.update(A, (record) => ({
            ...record,
            annotations: { ...record.annotations, [`k${String(turn)}`]: "v" },
          })),
        ),
      );
      const record = await store.read(A);
      equal(record.generation, 10);
      equal(Object.keys(record.annotations).length, 11);
    },
  },
  {
    rule: "keeps a record as it was when a change throws",
    check: async (store) => {
      await store.claim(exampleRecord("a"));
      await rejects(
        store.update(A, () => {
          throw new Error("no");
        }),
      );
      deepEqual(await store.read(A), exampleRecord("a"));
    },
  },
  {
    rule: "takes another container's record of the same id for none",
    check: async (store) => {
      const [first, second] = ["first", "second"].map((incarnation) => ({ ...exampleRecord("a"), incarnation }));
      await store.claim(second ?? exampleRecord("a"));
      await rejects(
        store.update(A, (record) => ({ ...record, status: "stopped" }), first?.incarnation),
        { code: "KATA_NOT_FOUND" },
      );
      await store.remove(A, { incarnation: "first" });
      deepEqual(await store.read(A), second);
      await store.remove(A, { incarnation: "second" });
      deepEqual(await store.list(), []);
    },
  },
  {
    rule: "keeps a record that has changed since it was read from being removed",
    check: async (store) => {
      await store.claim(exampleRecord("a"));
      const read = await store.read(A);
      const changed = await store.update(A, (record) => ({ ...record, status: "created" }));
      equal(await store.remove(A, read), false);
      deepEqual(await store.read(A), changed);
      equal(await store.remove(A, changed), true);
      equal(await store.remove(A, changed), true);
      deepEqual(await store.list(), []);
    },
  },
  {
    rule: "tells the VM of a record by the record's location",
    check: async (store) => {
      equal(await store.vmAt(store.locationOf(A)), undefined);
      const vmm = { pid: 1, startTime: 1 };
      const vm = { dir: "/vm/1", agentUrl: "unix:///x", processes: [vmm], vmm, accelerator: "tcg" };
      await store.claim({ ...exampleRecord("a"), vm });
      deepEqual(await store.vmAt(store.locationOf(A)), vm);
      equal(await store.vmAt(store.locationOf(B)), undefined);
    },
  },
  {
    rule: "lists its ids in order, and forgets what was removed, twice",
    check: async (store) => {
      await store.claim(exampleRecord("b"));
      await store.claim(exampleRecord("a"));
      deepEqual(await store.list(), [A, B]);
      await store.remove(A);
      await store.remove(A);
      deepEqual(await store.list(), [B]);
      await store.claim(exampleRecord("a"));
    },
  },
];
