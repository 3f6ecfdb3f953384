import type { Command } from "../context.ts";

/** Docker's status where `run` or `exec` itself has failed: others are the program's. */
const NO_CONTAINER = 125;

export interface FrontCommand extends Command {
  /** The status where it has failed itself; 1 by default. */
  readonly failure?: number;
}

/** What people need; each works through the same verbs, and on the same containers, as an engine's calls. */
export const FRONT: Readonly<Record<string, FrontCommand>> = {
  run: {
    summary: "run a command in a virtual machine of its own",
    load: () => import("./run.ts"),
    failure: NO_CONTAINER,
  },
  ps: { summary: "list what runs", load: () => import("./ps.ts") },
  exec: { summary: "run another command beside it", load: () => import("./exec.ts"), failure: NO_CONTAINER },
  cp: { summary: "copy files to it, or from it", load: () => import("./cp.ts") },
  port: { summary: "show which ports of this machine lead to it", load: () => import("./port.ts") },
  logs: { summary: "show what it has written, or what its virtual machine said", load: () => import("./logs.ts") },
  inspect: { summary: "show all that is known of a container or an image", load: () => import("./inspect.ts") },
  stop: { summary: "end it: first politely, after ten seconds by force", load: () => import("./stop.ts") },
  kill: { summary: "end it by force, or send it a signal", load: () => import("./kill.ts") },
  rm: { summary: "remove what has ended in the background", load: () => import("./rm.ts") },
  pull: { summary: "fetch an image, and unpack it for all that will run it", load: () => import("./pull.ts") },
  images: { summary: "list the images that are here", load: () => import("./images.ts") },
  rmi: { summary: "remove images", load: () => import("./rmi.ts") },
  volume: { summary: "list, make and remove volumes", load: () => import("./volume.ts") },
  system: { summary: "show what takes the disk, and remove it", load: () => import("./system.ts") },
  prune: { summary: "remove what is not needed any more", load: () => import("./prune.ts") },
  login: { summary: "keep the credentials of a registry", load: () => import("./login.ts") },
  logout: { summary: "forget the credentials of a registry", load: () => import("./logout.ts") },
  completion: { summary: "print a script that completes them: bash, zsh, fish", load: () => import("./completion.ts") },
  version: { summary: "show the version", load: () => import("./version.ts") },
};

/** What this program calls itself by. */
export const INTERNAL: Readonly<Record<string, FrontCommand>> = {
  "hold-network": { summary: "keep the network of a detached container", load: () => import("./hold-network.ts") },
};
