import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { lockFile } from "@kata-ts/linux";
import { connect, type OpenConnections } from "./connect.ts";
import { type Connection, hasRules } from "./connection.ts";
import { disconnect } from "./disconnect.ts";
import { NetnsError } from "./errors.ts";
import { DamagedJournalError, EMPTY_JOURNAL, type Journal, type JournalEntry, parseJournal } from "./journal-shape.ts";
import { isNamespace, type NamespaceIdentity } from "./namespace.ts";

const LOCK_DEADLINE_MS = 10_000;

/**
 * The connections of one machine, in a file that is written before the namespace is changed, so that the process
 * that outlives the others can take them back, once.
 */
export class ConnectionJournal {
  readonly #file: string;

  /** @param file in a directory of root's alone; a lock is made beside it */
  constructor(file: string) {
    this.#file = file;
  }

  entries(): readonly JournalEntry[] {
    return this.#read().entries;
  }

  /** PlanOptions.egress, for each interface that is connected from now on. */
  egress(): readonly string[] | undefined {
    return this.#read().egress;
  }

  /**
   * From now on the machine may call nothing else, and no process in its namespace anything at all. Before the first interface.
   *
   * @throws NetnsError KATA_NETWORK
   */
  async limit(namespace: string, identity: NamespaceIdentity, egress: readonly string[]): Promise<void> {
    using lock = await this.#lock();
    if (lock.journal.closed) throw ended();
    this.#write({ ...lock.journal, namespace: identity, egress });
    const { withholdOutput } = await import("./filter/filters.ts");
    await withholdOutput(namespace);
  }

  /** The machine's addresses on an interface are others now. @throws NetnsError KATA_NETWORK */
  async readdress(namespace: string, index: number, addresses: readonly string[]): Promise<void> {
    const entry = this.entries().find(({ connection }) => connection.index === index);
    if (entry === undefined || !hasRules(entry.connection)) return;
    const { changeOwnAddresses } = await import("./filter/filters.ts");
    await changeOwnAddresses(namespace, entry.connection, addresses);
  }

  /**
   * Makes connections and keeps them. On failure they are taken back.
   *
   * @param namespace a path that leads to it now
   * @throws NetnsError KATA_NETWORK
   */
  async connect(
    namespace: string,
    identity: NamespaceIdentity,
    connections: readonly Connection[],
  ): Promise<OpenConnections> {
    using lock = await this.#lock();
    const before = lock.journal;
    if (before.closed) throw ended();
    const added = connections.map((connection) => ({ connection }));
    this.#write({ ...before, namespace: identity, entries: [...before.entries, ...added] });
    try {
      return await connect(namespace, connections);
    } catch (error) {
      await disconnect(namespace, connections);
      this.#write(before);
      throw error;
    }
  }

  /** Keeps a note with the connection of an interface. */
  async note(index: number, note: unknown): Promise<void> {
    using lock = await this.#lock();
    const before = lock.journal;
    const entries = before.entries.map((entry) => (entry.connection.index === index ? { ...entry, note } : entry));
    this.#write({ ...before, entries });
  }

  /** Takes the connection of one interface back. */
  async disconnect(namespace: string, index: number): Promise<void> {
    using lock = await this.#lock();
    const before = lock.journal;
    const gone = before.entries.filter(({ connection }) => connection.index === index);
    await disconnect(
      namespace,
      gone.map(({ connection }) => connection),
    );
    this.#write({ ...before, entries: before.entries.filter((entry) => !gone.includes(entry)) });
  }

  /**
   * Takes all connections back for good. Idempotent.
   *
   * @param candidates paths that may lead to the namespace; where none does any more, it and all in it are gone, but for devices of the host
   */
  async close(candidates: readonly string[]): Promise<void> {
    using lock = await this.#lock({ evenDamaged: true });
    const { namespace, entries, egress } = lock.journal;
    const path = namespace === null ? undefined : candidates.find((candidate) => isNamespace(candidate, namespace));
    await disconnect(
      path,
      entries.map(({ connection }) => connection),
    );
    if (path !== undefined && egress !== undefined) await (await import("./filter/filters.ts")).allowOutput(path);
    this.#write({ ...EMPTY_JOURNAL, namespace, closed: true });
  }

  /** Reads the file, and keeps other processes from changing it until this is disposed. */
  async #lock({ evenDamaged = false } = {}): Promise<Disposable & { readonly journal: Journal }> {
    const lock = await lockFile(`${this.#file}.lock`, { deadlineMs: LOCK_DEADLINE_MS });
    try {
      return { journal: this.#read(), [Symbol.dispose]: lock[Symbol.dispose] };
    } catch (error) {
      // No connection can be taken back by it. Without this the machine could never be ended.
      if (evenDamaged && error instanceof DamagedJournalError)
        return { journal: EMPTY_JOURNAL, [Symbol.dispose]: lock[Symbol.dispose] };
      lock[Symbol.dispose]();
      throw error;
    }
  }

  #read(): Journal {
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return EMPTY_JOURNAL;
      throw error;
    }
    return parseJournal(text, this.#file);
  }

  #write(journal: Journal): void {
    const unfinished = `${this.#file}.tmp`;
    try {
      writeFileSync(unfinished, `${JSON.stringify(journal)}\n`, { mode: 0o600, flush: true });
      renameSync(unfinished, this.#file);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
  }
}

function ended(): NetnsError {
  return new NetnsError("KATA_NETWORK", "the virtual machine has ended");
}
