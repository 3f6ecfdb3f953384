import { setRejectionHandler } from "kata:native";
import { setAfterJobs } from "../loop/ticks.ts";
import { reportUncaught } from "../loop/uncaught.ts";

/**
 * The engine tells at once that a promise is rejected, and again when a handler comes: which have none is known only when all jobs
 * have run.
 */
export function reportRejections(): void {
  const rejected: Map<object, unknown> = new Map();
  setRejectionHandler((promise, reason, isHandled) => {
    if (isHandled) rejected.delete(promise);
    else rejected.set(promise, reason);
  });
  setAfterJobs(() => {
    if (rejected.size === 0) return;
    const reasons = [...rejected.values()];
    rejected.clear();
    for (const reason of reasons) reportUncaught(reason, "unhandledRejection");
  });
}
