import { onCreated, type SignalWatch } from "./process/signal-watch.ts";

type Init = (id: number, type: string, trigger: number, resource: SignalWatch) => void;

interface Hook {
  enable(): Hook;
  disable(): Hook;
}

/** Tells of signals that are listened to, and of nothing else. */
export function createHook({ init }: { readonly init?: Init }): Hook {
  const created = (resource: SignalWatch): void => {
    init?.(0, "SIGNALWRAP", 0, resource);
  };
  const hook: Hook = {
    enable: () => {
      onCreated.add(created);
      return hook;
    },
    disable: () => {
      onCreated.delete(created);
      return hook;
    },
  };
  return hook;
}
