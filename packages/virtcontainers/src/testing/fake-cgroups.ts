import type { CgroupPlace, Cgroups, HostCgroup, HostLimits, RecordedCgroup } from "../ports/cgroups.ts";

/** Where containers are that name no path. */
const DEFAULT_PARENT = "/fake";

interface FakeCgroup {
  readonly processes: Set<number>;
  limits: HostLimits;
  /** Set by a test, for another program that freezes. */
  frozen: boolean;
}

/** Cgroups of which the host's kernel knows nothing: what they hold is remembered here. */
export class FakeCgroups implements Cgroups {
  /** All that were made and not removed, by directory. */
  readonly made: Map<string, FakeCgroup> = new Map();

  open(path: string | undefined, containerId: string, limits: HostLimits): HostCgroup {
    const directory = path ?? `${DEFAULT_PARENT}/${containerId}`;
    const place: CgroupPlace = { directories: [directory] };
    return {
      place,
      make: () => {
        this.made.set(directory, { processes: new Set(), limits, frozen: false });
      },
      begin: async (pid) => {
        this.add(place, pid);
      },
      add: (pid) => {
        this.add(place, pid);
      },
    };
  }

  add(place: RecordedCgroup | undefined, pid: number): void {
    for (const cgroup of this.#in(place)) {
      this.moveToRoot(pid);
      cgroup.processes.add(pid);
    }
  }

  moveToRoot(pid: number): void {
    for (const { processes } of this.made.values()) processes.delete(pid);
  }

  async update(place: RecordedCgroup | undefined, limits: HostLimits): Promise<void> {
    for (const cgroup of this.#in(place)) cgroup.limits = { ...cgroup.limits, ...limits };
  }

  thaw(place: RecordedCgroup | undefined): void {
    for (const cgroup of this.#in(place)) cgroup.frozen = false;
  }

  async remove(place: RecordedCgroup | undefined): Promise<void> {
    for (const directory of directoriesOf(place)) this.made.delete(directory);
  }

  #in(place: RecordedCgroup | undefined): FakeCgroup[] {
    return directoriesOf(place).flatMap((directory) => this.made.get(directory) ?? []);
  }
}

function directoriesOf(place: RecordedCgroup | undefined): readonly string[] {
  if (place === undefined) return [];
  return "directories" in place ? place.directories : place;
}
