import { chmodSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type FileLock, lockFile, randomUuid, tryLockFile } from "@kata-ts/linux";
import { NetnsError } from "../errors.ts";
import { formatAddress, formatSubnet, overlap, parseSubnet, type Subnet, sizeOf } from "./ipv4.ts";

/** Where private subnets are looked for: little used by engines and home routers. */
const POOLS: readonly Subnet[] = ["10.91.0.0/16", "172.29.0.0/16", "192.168.208.0/20"].flatMap(
  (text) => parseSubnet(text) ?? [],
);
/** Two links of two addresses each: to the host, and to the guest. */
const LEASE_BITS = 29;
const LOCK_DEADLINE_MS = 30_000;
const SUFFIX = ".lease";

/** A subnet that no route of the host leads to, and that no other program of the host leases, until it is disposed of. */
export interface SubnetLease extends Disposable {
  readonly subnet: Subnet;
  /** Where files that belong to it are, such as `<path>.conf`: they are swept with it. */
  readonly path: string;
}

/** The directory of all leases of a host: one file each, locked by the process that has it. */
export class SubnetLeases {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o711);
  }

  /** Keeps others from changing what all sandboxes of the host share. */
  lock(): Promise<FileLock> {
    return lockFile(join(this.#directory, "lock"), { deadlineMs: LOCK_DEADLINE_MS });
  }

  /** Where something can be noted that belongs to no single lease. */
  noteFile(name: string): string {
    return join(this.#directory, name);
  }

  /** The noteFile()s that are there, of names that begin so. */
  notes(prefix: string): string[] {
    return readdirSync(this.#directory)
      .filter((name) => name.startsWith(prefix))
      .map((name) => join(this.#directory, name));
  }

  /** @param used what routes of the host lead to; @throws NetnsError KATA_NETWORK when everything is in use */
  async take(used: readonly Subnet[]): Promise<SubnetLease> {
    for (const subnet of candidates()) {
      if (used.some((other) => overlap(subnet, other))) continue;
      const path = join(this.#directory, formatAddress(subnet.base));
      const lock = await tryLockFile(`${path}${SUFFIX}`);
      if (lock === undefined) continue;
      return {
        subnet,
        path,
        [Symbol.dispose]: () => {
          for (const file of filesOf(this.#directory, subnet)) rmSync(file, { force: true });
          lock[Symbol.dispose]();
        },
      };
    }
    throw new NetnsError("KATA_NETWORK", "no private subnet of this host is free for another sandbox", {
      hint: `routes of the host, or other sandboxes, have all of ${POOLS.map(formatSubnet).join(", ")}`,
    });
  }

  /** The leases that are held by a process that is alive. Those of dead ones go, with their files. */
  async sweep(): Promise<Subnet[]> {
    const alive: Subnet[] = [];
    for (const { subnet, file } of this.#all()) {
      using lock = await tryLockFile(file);
      if (lock === undefined) alive.push(subnet);
      else for (const each of filesOf(this.#directory, subnet)) rmSync(each, { force: true });
    }
    return alive;
  }

  /** The subnets that no living process has. */
  async abandoned(): Promise<string[]> {
    const found: string[] = [];
    for (const { subnet, file } of this.#all()) {
      using lock = await tryLockFile(file);
      if (lock !== undefined) found.push(formatSubnet(subnet));
    }
    return found;
  }

  #all(): { readonly subnet: Subnet; readonly file: string }[] {
    const names = readdirSync(this.#directory).filter((name) => name.endsWith(SUFFIX));
    return names.flatMap((name) => {
      const subnet = parseSubnet(`${name.slice(0, -SUFFIX.length)}/${String(LEASE_BITS)}`);
      return subnet === undefined ? [] : [{ subnet, file: join(this.#directory, name) }];
    });
  }
}

/** The lease's own file last: while it is there, a sweep finds the others. */
function filesOf(directory: string, { base }: Subnet): string[] {
  const prefix = `${formatAddress(base)}.`;
  const names = readdirSync(directory).filter((name) => name.startsWith(prefix) && !name.endsWith(SUFFIX));
  return [...names, `${prefix.slice(0, -1)}${SUFFIX}`].map((name) => join(directory, name));
}

/** From a place by chance on: programs that look at the same time look in different places. */
function* candidates(): Generator<Subnet> {
  const size = 2 ** (32 - LEASE_BITS);
  for (const pool of POOLS) {
    const places = sizeOf(pool) / size;
    const start = Number.parseInt(randomUuid().slice(0, 8), 16) % places;
    for (let index = 0; index < places; index++) {
      yield { base: pool.base + ((start + index) % places) * size, bits: LEASE_BITS };
    }
  }
}
