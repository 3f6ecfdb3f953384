export interface ResultOptions {
  /** What it reads from its standard input; nothing by default. */
  readonly input?: string | Uint8Array | undefined;
  /** How many bytes of each output are kept; 16 MiB by default. The rest is read and dropped. */
  readonly maxBytes?: number | undefined;
  /** Kills the process and what it has started when it is aborted; the result then tells that. */
  readonly signal?: AbortSignal | undefined;
}

/** What of a call's options is about the result. */
export function resultOptionsOf({ input, maxBytes, signal }: ResultOptions): ResultOptions {
  return {
    input,
    maxBytes,
    signal,
  };
}
