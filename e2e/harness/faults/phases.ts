import type { Kata } from "../kata.ts";
import { Call, type Step } from "./call.ts";

/** A container brought to a phase of its life, and held there. */
export interface Held {
  readonly id: string;
  /** The call that is at work, stopped; absent where none is. */
  readonly call?: Call;
}

export interface Phase {
  readonly name: string;
  /** Brings a new container there. @throws Error unless it is proven to be there */
  readonly reach: (kata: Kata) => Promise<Held>;
}

/** Says so, and stays, when it is asked to end. */
const STUBBORN = "trap 'touch /dev/stopping' TERM; touch /dev/up; while :; do sleep 0.1; done";

export const PHASES: readonly Phase[] = [
  creating("vm-started"),
  creating("agent-up"),
  creating("sandbox-created"),
  { name: "container-created", reach: async (kata) => ({ id: await created(kata) }) },
  { name: "running", reach: async (kata) => ({ id: await running(kata) }) },
  {
    name: "exec-attached",
    reach: async (kata) => {
      const id = await running(kata);
      const call = new Call(kata, ["exec", id, "sleep", "1000"]);
      await call.holdAt("exec-started");
      call.goOn(); // It has nothing left to do but to wait for its process.
      return { id, call };
    },
  },
  {
    name: "stopping",
    reach: async (kata) => {
      const id = await running(kata);
      await kata.ok(["kill", id, "TERM"]);
      while ((await kata.run(["exec", id, "test", "-e", "/dev/stopping"])).exitCode !== 0);
      return { id };
    },
  },
  {
    name: "deleting",
    reach: async (kata) => {
      const id = await created(kata);
      const call = new Call(kata, ["delete", "--force", id]);
      await call.holdAt("vm-ending");
      return { id, call };
    },
  },
];

function creating(step: Step): Phase {
  return {
    name: step,
    reach: async (kata) => {
      const { path } = await kata.bundle({ args: ["sh", "-c", STUBBORN], edit: withoutMasks });
      const id = kata.id();
      const call = new Call(kata, ["create", "--bundle", path, id]);
      await call.holdAt(step);
      return { id, call };
    },
  };
}

async function created(kata: Kata): Promise<string> {
  const id = kata.id();
  const { path } = await kata.bundle({ args: ["sh", "-c", STUBBORN], edit: withoutMasks });
  await kata.create(id, path);
  if ((await kata.state(id)).status !== "created") throw new Error(`${id} is not created`);
  return id;
}

async function running(kata: Kata): Promise<string> {
  const id = await created(kata);
  await kata.ok(["start", id]);
  while ((await kata.run(["exec", id, "test", "-e", "/dev/up"])).exitCode !== 0);
  return id;
}

/** What the container may do to its guest's kernel is a fault, too. */
function withoutMasks(spec: { mounts: { destination: string; options?: string[] }[]; [name: string]: unknown }): void {
  const linux = spec.linux as { maskedPaths?: string[]; readonlyPaths?: string[] };
  linux.maskedPaths = [];
  linux.readonlyPaths = [];
}
