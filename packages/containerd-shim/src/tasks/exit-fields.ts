import type { google } from "#gen/containerd";
import { timestampOf } from "../timestamp.ts";
import type { Exit } from "./pod.ts";

interface ExitFields {
  readonly exit_status: number;
  readonly exited_at: google.protobuf.Timestamp.$Properties | null;
}

/** How a process ended, as several messages say it; of one that runs, nothing. */
export function exitFields(exit: Exit | undefined): ExitFields {
  return exit === undefined
    ? { exit_status: 0, exited_at: null }
    : { exit_status: exit.status, exited_at: timestampOf(exit.at) };
}
