import type { Command, CommandTable } from "./context.ts";

export const COMMANDS: CommandTable = {
  check: {
    summary: "tell whether this machine can run containers, and what is missing",
    alias: "kata-check",
    load: () => import("./verbs/check.ts"),
  },
  checkpoint: { summary: "save a container with its virtual machine", load: () => import("./verbs/checkpoint.ts") },
  "collect-data": {
    summary: "print a report of a fault: versions, configuration, containers and logs, without secrets",
    alias: "kata-collect-data",
    load: () => import("./verbs/collect-data.ts"),
  },
  completion: {
    summary: "print a script by which a shell completes commands: bash, zsh or fish",
    load: () => import("./verbs/completion.ts"),
  },
  create: { summary: "create a container from a bundle", load: () => import("./verbs/create.ts") },
  debug: {
    summary: "run a shell, or another command, in the guest that a container lives in",
    load: () => import("./verbs/debug.ts"),
  },
  delete: { summary: "delete a container and its virtual machine", load: () => import("./verbs/delete.ts") },
  env: {
    summary: "show the configuration in force, the programs and the host, as TOML or JSON",
    alias: "kata-env",
    load: () => import("./verbs/env.ts"),
  },
  events: {
    summary: "show figures of a container, and when it runs out of memory",
    load: () => import("./verbs/events.ts"),
  },
  exec: { summary: "run another process in a container", load: () => import("./verbs/exec.ts") },
  factory: {
    summary: "make, look for or remove the template that virtual machines are cloned from",
    load: () => import("./verbs/factory.ts"),
  },
  features: { summary: "show what this runtime supports, as JSON", load: () => import("./verbs/features.ts") },
  gc: { summary: "remove what belongs to no living sandbox", load: () => import("./verbs/gc.ts") },
  install: {
    summary: "copy this installation below a prefix",
    load: () => import("./verbs/install.ts"),
  },
  "kata-engine": {
    summary: "print, or write, the configuration by which an engine knows this runtime",
    load: () => import("./verbs/kata-engine.ts"),
  },
  "kata-network": {
    summary: "list and change the interfaces and routes of a container",
    load: () => import("./verbs/kata-network.ts"),
  },
  "kata-overhead": {
    summary: "show what a container's sandbox takes of the host beyond what is used in its guest",
    load: () => import("./verbs/kata-overhead.ts"),
  },
  kill: { summary: "send a signal to a container", load: () => import("./verbs/kill.ts") },
  list: { summary: "list containers", load: () => import("./verbs/list.ts") },
  "log-parser": {
    summary: "merge logs of several files by time",
    alias: "kata-log-parser",
    load: () => import("./verbs/log-parser.ts"),
  },
  logs: {
    summary: "show what a container's virtual machine said: kernel, agent, hypervisor",
    load: () => import("./verbs/logs.ts"),
  },
  metrics: {
    summary: "show figures of all containers and their virtual machines, for Prometheus",
    load: () => import("./verbs/metrics.ts"),
  },
  pause: { summary: "freeze all processes of a container", load: () => import("./verbs/pause.ts") },
  ps: { summary: "list the processes of a container", load: () => import("./verbs/ps.ts") },
  restore: { summary: "go on with a container that was saved", load: () => import("./verbs/restore.ts") },
  resume: { summary: "thaw a paused container", load: () => import("./verbs/resume.ts") },
  run: { summary: "create and start a container, and wait for it", load: () => import("./verbs/run.ts") },
  spec: { summary: "write an example config.json", load: () => import("./verbs/spec.ts") },
  start: { summary: "start a created container", load: () => import("./verbs/start.ts") },
  state: { summary: "show the state of a container, as JSON", load: () => import("./verbs/state.ts") },
  uninstall: { summary: "remove an installation from a prefix", load: () => import("./verbs/uninstall.ts") },
  update: { summary: "change the limits of a container", load: () => import("./verbs/update.ts") },
  version: { summary: "show the version", load: () => import("./verbs/version.ts") },
};

/** By its name or its alias. */
export function findCommand(name: string): { readonly name: string; readonly command: Command } | undefined {
  const found = Object.entries(COMMANDS).find(([known, { alias }]) => known === name || alias === name);
  return found === undefined ? undefined : { name: found[0], command: found[1] };
}
