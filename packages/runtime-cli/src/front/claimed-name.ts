import { existsSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { lockFile } from "@kata-ts/linux";
import { KataError } from "@kata-ts/virtcontainers/records";

/**
 * A link for each name to the bundle that has it. Each data directory knows its own bundles alone; but what is made on the host for
 * a container has its name: a network namespace, and what CNI plugins find again by it.
 */
const CLAIMS = "/run/kata-ts/names";
const [LOCK, UNFINISHED] = [`${CLAIMS}.lock`, `${CLAIMS}.new`];
const LOCK_DEADLINE_MS = 30_000;

/**
 * The bundle's name is its own on this host, until releaseName.
 *
 * @throws KataError KATA_ID_IN_USE where a bundle of another data directory has it
 */
export async function claimName(bundle: string): Promise<void> {
  mkdirSync(dirname(CLAIMS), { recursive: true, mode: 0o711 });
  mkdirSync(CLAIMS, { recursive: true, mode: 0o700 });
  using _lock = await lockFile(LOCK, { deadlineMs: LOCK_DEADLINE_MS });
  const holder = holderElsewhere(bundle);
  if (holder !== undefined) {
    throw new KataError("KATA_ID_IN_USE", `${basename(bundle)} runs already, from the data directory of ${holder}`, {
      hint: "choose another --name, or remove that one by the KATA_TS_DATA that it was started with",
    });
  }
  rmSync(UNFINISHED, { force: true });
  symlinkSync(bundle, UNFINISHED);
  renameSync(UNFINISHED, claimOf(bundle));
}

/** The bundle of another data directory that has the name, if any: what the host has by that name is not this one's. */
export function holderElsewhere(bundle: string): string | undefined {
  const holder = holderOf(bundle);
  return holder !== bundle && holder !== undefined && existsSync(holder) ? holder : undefined;
}

export async function releaseName(bundle: string): Promise<void> {
  if (holderOf(bundle) !== bundle) return;
  using _lock = await lockFile(LOCK, { deadlineMs: LOCK_DEADLINE_MS });
  // The bundle is gone: another one may have claimed the name since.
  if (holderOf(bundle) === bundle) rmSync(claimOf(bundle), { force: true });
}

function holderOf(bundle: string): string | undefined {
  try {
    return readlinkSync(claimOf(bundle));
  } catch {
    return undefined;
  }
}

function claimOf(bundle: string): string {
  return join(CLAIMS, basename(bundle));
}
