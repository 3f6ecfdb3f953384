import type { DroppedOutput } from "@kata-ts/virtcontainers/records";

/** What `kata logs` says of output that it cannot show; empty where it shows all. */
export function droppedText({ old = 0, unwritten = 0 }: Partial<DroppedOutput>): string {
  const lines = [
    ...(old > 0
      ? [`the oldest ${String(old)} bytes of the output were dropped, to stay within --log-opt max-size and max-file`]
      : []),
    ...(unwritten > 0 ? [`${String(unwritten)} bytes of the output are missing, because the disk was full`] : []),
  ];
  return lines.map((line) => `kata: ${line}\n`).join("");
}
