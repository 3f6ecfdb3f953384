import { existsSync } from "node:fs";
import { join } from "node:path";
import { GuestImageError } from "./errors.ts";

/** Where the agent is in the guest. */
export const AGENT_DIRECTORY = "usr/lib/kata-agent";

/** The agent's bytecode, and the engine of the very build that it belongs to. */
const FILES = ["agent.kjs", "kata-js"] as const;

/** @throws GuestImageError for a directory without an agent: its guest would panic at its boot */
export function checkAgent(directory: string): void {
  const lacking = FILES.filter((file) => !existsSync(join(directory, file)));
  if (lacking.length === 0) return;
  throw new GuestImageError(
    `${directory} has no ${lacking.join(" and no ")}, which the guest's agent is`,
    "name the directory that a build makes: dist/agent",
  );
}
