import type { google } from "#gen/containerd";

/** A moment in protobuf's words. */
export function timestampOf(moment: Date): google.protobuf.Timestamp.$Properties {
  const milliseconds = moment.getTime();
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanos: (milliseconds - seconds * 1000) * 1e6 };
}
