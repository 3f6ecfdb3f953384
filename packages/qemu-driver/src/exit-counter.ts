import type { Socket } from "node:net";
import { QmpClient } from "./qmp/client.ts";

/** Accesses to devices. Exits for interrupts of the host happen to a guest that hangs as well. */
const PROGRESS = ["io_exits", "mmio_exits"];
const QUERY = { target: "vcpu", providers: [{ provider: "kvm", names: PROGRESS }] };

interface VcpuStats {
  readonly stats?: readonly { readonly name: string; readonly value: unknown }[];
}

/**
 * How often a guest under KVM has left it to reach a device: as QEMU tells from 7.1 on, with a kernel from 5.14 on. Stays
 * at zero elsewhere, and while QEMU does not answer.
 */
export class ExitCounter implements Disposable {
  count = 0;
  readonly #socket: Socket;
  #client: QmpClient | undefined;
  #isAsking = true;

  constructor(socket: Socket) {
    this.#socket = socket;
    QmpClient.over(socket).then(
      (client) => {
        this.#client = client;
        this.#isAsking = false;
      },
      () => undefined,
    );
  }

  /** Has the count renewed, some time later. */
  refresh(): void {
    if (this.#isAsking || this.#client === undefined) return;
    this.#isAsking = true;
    this.#client.execute("query-stats", QUERY).then(
      (answer) => {
        this.count = sum(answer);
        this.#isAsking = false;
      },
      () => undefined, // It has no such statistics: it is not asked again.
    );
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

function sum(answer: unknown): number {
  const stats = (Array.isArray(answer) ? (answer as VcpuStats[]) : []).flatMap((vcpu) => vcpu.stats ?? []);
  return stats.reduce((total, { name, value }) => (PROGRESS.includes(name) ? total + Number(value) : total), 0);
}
