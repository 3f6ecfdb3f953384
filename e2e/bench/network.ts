import type { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { NETWORKED_RUNTIMES, PORT, startPeer } from "../harness/networked.ts";
import { compare, median, medianOf, type Row, timed } from "./measure.ts";

const RUNS = 3;
const CREATES = 5;
const MIB = 64;
const ROUND_TRIPS = "200";
const POD = "10.230.0.2";
const WORLD = "10.230.0.1";

type Figures = Readonly<Record<"to the container" | "from the container" | "round trip", number>>;

/** What passes between a container and the other end of its veth pair, beside a container without a VM. */
export async function network(): Promise<Row[]> {
  const measured: (readonly [name: string, figures: Figures])[] = [];
  for (const [name, open] of NETWORKED_RUNTIMES) {
    await using kata = open();
    measured.push([name, await throughput(kata)]);
  }
  const [[yardstick, best] = ["", undefined], ...others] = measured;
  if (best === undefined) return [];
  return Object.entries(best).flatMap(([what, value]) => {
    const unit = what === "round trip" ? "ms" : "MB/s";
    const base: Row = { what: `${yardstick}: ${what}`, value, unit };
    const ours = others.map(([name, figures]) =>
      compare({ what: `${name}: ${what}`, value: figures[what as keyof Figures], unit }, base),
    );
    return [...ours, base];
  });
}

async function pair(network: TestNetwork): Promise<{ pod: string; world: string }> {
  const [pod, world] = [await network.namespace(), await network.namespace()];
  await network.veth(
    { namespace: pod, name: "eth0", addresses: [`${POD}/24`] },
    { namespace: world, name: "pod0", addresses: [`${WORLD}/24`] },
  );
  return { pod, world };
}

async function throughput(kata: Kata): Promise<Figures> {
  await using network = new TestNetwork();
  const { pod, world } = await pair(network);
  const id = await startPeer(kata, pod);
  const rate = async (direction: string): Promise<number> => {
    const seconds = (await timed(() => network.peer(world, direction, POD, PORT, String(MIB)))) / 1000;
    return (MIB * 1024 * 1024) / 1e6 / seconds;
  };
  const rates = { upload: [] as number[], download: [] as number[], trips: [] as number[] };
  for (let run = 0; run < RUNS; run++) {
    rates.upload.push(await rate("upload"));
    rates.download.push(await rate("download"));
    rates.trips.push(Number(await network.peer(world, "trips", POD, PORT, ROUND_TRIPS)));
  }
  await kata.ok(["delete", "--force", id]);
  return {
    "to the container": median(rates.upload),
    "from the container": median(rates.download),
    "round trip": median(rates.trips),
  };
}

/** What a namespace with so many interfaces adds to `create`: the same container, with them and with none. */
export async function networkCost(kata: Kata): Promise<Row[]> {
  const none = await createWith(kata, 0);
  const base: Row = { what: "create, no interface", value: none, unit: "ms" };
  const rows: Row[] = [base];
  for (const count of [1, 4]) {
    const value = await createWith(kata, count);
    rows.push(compare({ what: `create, ${String(count)} interface${count > 1 ? "s" : ""}`, value, unit: "ms" }, base), {
      what: `of it for the network`,
      value: value - none,
      unit: "ms",
    });
  }
  return rows;
}

async function createWith(kata: Kata, interfaces: number): Promise<number> {
  return medianOf(CREATES, async () => {
    await using network = new TestNetwork();
    const [pod, world] = [await network.namespace(), await network.namespace()];
    for (let index = 0; index < interfaces; index++) {
      const third = String(index);
      await network.veth(
        { namespace: pod, name: `eth${third}`, addresses: [`10.231.${third}.2/24`] },
        { namespace: world, name: `pod${third}`, addresses: [`10.231.${third}.1/24`] },
      );
    }
    const id = kata.id();
    const { path } = await kata.bundle({
      args: ["true"],
      edit: (spec) => {
        const linux = spec.linux as { namespaces: { type: string; path?: string }[] };
        for (const entry of linux.namespaces) if (entry.type === "network") entry.path = pod;
      },
    });
    const took = await timed(() => kata.create(id, path));
    await kata.ok(["delete", "--force", id]);
    return took;
  });
}
