import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostProgramsImage, volume, withHostPrograms } from "../harness/host-programs.ts";
import { Kata } from "../harness/kata.ts";
import { compare, median, type Row } from "./measure.ts";

const RUNS = 5;
const DIRECTORIES = 40;
const FILES = 50;
/** What guests may keep, by the lines of configuration.toml. */
const CACHES: Readonly<Record<string, string>> = {
  auto: 'virtio_fs_cache = "auto"',
  "auto, opens do not ask": 'virtio_fs_cache = "auto"\nkernel_params = "virtiofs.close_to_open=0"',
  always: 'virtio_fs_cache = "always"',
  none: 'virtio_fs_cache = "none"',
};

type Times = Readonly<Record<string, number[]>>;

/** Work with many files of the host, by what guests may keep of them, beside runc's on the host. */
export async function files(): Promise<Row[]> {
  await using runc = new Kata([], "/usr/sbin/runc");
  const theirs = await measure(runc);
  const ours: (readonly [string, Times])[] = [];
  for (const [cache, lines] of Object.entries(CACHES)) {
    await using kata = Kata.configured(`[hypervisor.qemu]\n${lines}\n`);
    ours.push([cache, await measure(kata)]);
  }
  return Object.entries(theirs).flatMap(([what, times]) => {
    const yardstick: Row = { what: `${what}, runc`, value: median(times), unit: "ms" };
    const rows = ours.map(
      ([cache, of]): Row => ({ what: `${what}, ${cache}`, value: median(of[what] ?? []), unit: "ms" }),
    );
    return [...rows.map((row) => compare(row, rows[0] ?? yardstick)), yardstick];
  });
}

async function measure(runtime: Kata): Promise<Times> {
  const data = join(runtime.directory, "data");
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    mkdirSync(join(data, String(directory)), { recursive: true });
    for (let file = 0; file < FILES; file++) writeFileSync(join(data, String(directory), String(file)), "some content");
  }
  const id = await runtime.start({
    image: hostProgramsImage(runtime),
    args: ["sleep", "10000"],
    edit: (spec) => {
      withHostPrograms(spec);
      spec.mounts.push(volume(data, "/data"));
    },
  });
  const times: Record<string, number[]> = {};
  for (let run = 0; run <= RUNS; run++) {
    const told = await runtime.ok(["exec", id, "python3", "/harness/file-load.py", "/data"]);
    if (run === 0) continue; // Warms file caches of the host.
    for (const [what, took] of Object.entries(JSON.parse(told) as Record<string, number>)) {
      times[what] = [...(times[what] ?? []), took];
    }
  }
  await runtime.ok(["delete", "--force", id]);
  return times;
}
