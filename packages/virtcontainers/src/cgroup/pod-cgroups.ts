import type { CgroupPlace, Cgroups, HostCgroup, HostLimits, RecordedCgroup } from "../ports/cgroups.ts";
import { noCgroups } from "./no-cgroups.ts";
import { placeOf } from "./recorded.ts";

/**
 * Cgroups for a program that owns a pod's VM and stands in for all of its processes: the cgroup of the pod's first
 * container holds the program and the VM. The other containers have no process of their own on the host, and no cgroup.
 */
export class PodCgroups implements Cgroups {
  readonly #host: Cgroups;
  #pod: CgroupPlace | undefined;

  /** @param host where the first container's cgroup is made */
  constructor(host: Cgroups) {
    this.#host = host;
  }

  open(path: string | undefined, containerId: string, limits: HostLimits): HostCgroup {
    if (this.#pod !== undefined) return noCgroups.open(path, containerId, limits);
    const cgroup = this.#host.open(path, containerId, limits);
    const begin = async (pid: number): Promise<void> => {
      this.#pod = cgroup.place;
      await cgroup.begin(pid);
    };
    return { ...cgroup, begin };
  }

  /** Processes of exec are this process, which has its place. */
  add(place: RecordedCgroup | undefined, pid: number): void {
    if (pid !== process.pid) this.#host.add(place, pid);
  }

  moveToRoot(pid: number): void {
    this.#host.moveToRoot(pid);
  }

  update(place: RecordedCgroup | undefined, limits: HostLimits): Promise<void> {
    return this.#host.update(place, limits);
  }

  thaw(place: RecordedCgroup | undefined): void {
    this.#host.thaw(place);
  }

  /** This process leaves the pod's cgroup before that is removed. */
  async remove(place: RecordedCgroup | undefined): Promise<void> {
    if (this.#isPod(place)) {
      this.#host.moveToRoot(process.pid);
      this.#pod = undefined;
    }
    await this.#host.remove(place);
  }

  #isPod(place: RecordedCgroup | undefined): boolean {
    const [first] = placeOf(place).directories;
    return this.#pod !== undefined && first !== undefined && first === this.#pod.directories[0];
  }
}
