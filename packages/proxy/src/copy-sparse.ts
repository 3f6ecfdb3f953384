import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { howToInstall, SYSTEM_PATH } from "@kata-ts/linux";

/**
 * Copies a file into an open one, without the holes and the zeroes in it: guests touch little of their memory. cp(1) of
 * GNU knows how to find both.
 *
 * @param target a descriptor, open for writing
 * @param signal ends the copying
 * @throws Error with what cp said; where it is another cp, how to get that of GNU
 */
export async function copySparse(source: string, target: number, signal?: AbortSignal): Promise<void> {
  const child = spawn("cp", ["--sparse=always", "--", source, "/proc/self/fd/3"], {
    stdio: ["ignore", "ignore", "pipe", target],
    env: { PATH: SYSTEM_PATH, LC_ALL: "C" },
    ...(signal === undefined ? {} : { signal, killSignal: "SIGKILL" as const }),
  });
  const said = child.stderr === null ? "" : text(child.stderr);
  const [[status], stderr] = await Promise.all([once(child, "close") as Promise<[number | null]>, said]);
  if (status === 0) return;
  const why = stderr.trim() || `cp ended with status ${String(status)}`;
  const isOther = /(?:unrecognized|unknown|invalid) option/.test(why);
  throw new Error(`copying ${source}: ${why.split("\n")[0] ?? ""}${isOther ? `; ${howToInstall("cp")}` : ""}`);
}
