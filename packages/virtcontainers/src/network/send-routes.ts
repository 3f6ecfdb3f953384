import type { ConnectionJournal } from "@kata-ts/netns";
import type { Agent } from "../ports/agent.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import type { Differences } from "./differences.ts";
import { type KnownInterface, knownInterfaces } from "./known-interface.ts";

/**
 * Gives the guest the routes of all its interfaces: the RPC replaces what it had, and sets up none where one interface is missing.
 * One whose card is on its way out gets its routes when it is given back.
 */
export async function sendRoutes(agent: Agent, known: readonly KnownInterface[]): Promise<void> {
  const routes = known.flatMap(({ note }) => (note.leaving === true ? [] : note.routes));
  await wrapAgentError("set up routes", agent.updateRoutes({ routes: { Routes: routes } }));
}

/** Brings interfaces that the guest has up to date, and then the routes, which go with an interface's addresses. */
export async function sendDifferences(agent: Agent, journal: ConnectionJournal, found: Differences): Promise<void> {
  for (const { index, note, interfaceChanged } of found.changed) {
    if (interfaceChanged) {
      await wrapAgentError(`set up interface ${note.told.name ?? ""}`, agent.updateInterface({ interface: note.told }));
    }
    await journal.note(index, note);
  }
  if (found.changed.length + found.gone.length > 0) await sendRoutes(agent, knownInterfaces(journal.entries()));
}
