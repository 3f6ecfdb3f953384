import { EventEmitter } from "node:events";
import { type ContainerId, parseContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";
import { createSandbox } from "../sandbox/create.ts";
import type { LiveSandbox } from "../sandbox/live-sandbox.ts";
import { restoreSandbox } from "../sandbox/restore.ts";
import type { OpenSnapshot } from "../snapshot/open-snapshot.ts";
import { UndoStack } from "../undo.ts";
import type { SandboxEvents } from "./events.ts";
import type { CopyOptions } from "./fork-options.ts";
import { openNetwork, type SandboxNetwork } from "./sandbox-network.ts";
import { type KeptOptions, keptOptions, type SandboxOptions } from "./sandbox-options.ts";

const BOOT_DEADLINE_MS = 60_000;

/** What a sandbox is made of. */
export interface SandboxParts {
  readonly live: LiveSandbox;
  readonly ports: Ports;
  readonly network: SandboxNetwork;
  readonly events: EventEmitter<SandboxEvents>;
  readonly options: KeptOptions;
  /** SandboxOptions.detachable, or it was opened. */
  readonly isDetachable?: boolean | undefined;
  /** CopyOptions.memoryStays. */
  readonly isMapped?: boolean | undefined;
}

/** Those of a new sandbox. Nothing is left where that fails. */
export async function createdParts(id: ContainerId, options: SandboxOptions, ports: Ports): Promise<SandboxParts> {
  const events: EventEmitter<SandboxEvents> = new EventEmitter();
  await using undo = new UndoStack();
  const network = await openNetwork(id, options, ports, { events });
  undo.push(() => network[Symbol.asyncDispose]());
  using namespace = network.namespace;
  const live = await createSandbox(
    {
      id,
      hostname: options.hostname ?? id.slice(0, 12),
      sharePidNamespace: options.sharePidNamespace ?? false,
      bootDeadlineMs: options.bootDeadlineMs ?? BOOT_DEADLINE_MS,
      ...(namespace === undefined ? {} : { namespace, dns: network.dns }),
      detachable: options.detachable,
      signal: options.signal,
    },
    ports,
  );
  undo.keep();
  const { detachable: isDetachable } = options;
  return { live, ports, network, events, options: keptOptions(options), isDetachable };
}

/** Those of a sandbox that goes on from a snapshot. Nothing is left where that fails. */
export async function copiedParts(snapshot: OpenSnapshot, options: CopyOptions, ports: Ports): Promise<SandboxParts> {
  const { signal, memoryStays } = options;
  const id = parseContainerId(options.id);
  const events: EventEmitter<SandboxEvents> = new EventEmitter();
  await using undo = new UndoStack();
  const network = await openNetwork(id, options, ports, { events, link: snapshot.manifest.link });
  undo.push(() => network[Symbol.asyncDispose]());
  using namespace = network.namespace;
  const live = await restoreSandbox(snapshot, { id, signal, namespace, memoryStays }, ports);
  undo.keep();
  return { live, ports, network, events, options: keptOptions(options), isMapped: memoryStays };
}
