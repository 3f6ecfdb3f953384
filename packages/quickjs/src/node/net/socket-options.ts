/** Bytes are read into the caller's memory, and handed to its function, which stops the reading by `false`. */
export interface OnRead {
  readonly buffer: Uint8Array | (() => Uint8Array);
  readonly callback: (length: number, buffer: Uint8Array) => boolean;
}

export interface SocketOptions {
  readonly fd?: number;
  readonly readable?: boolean;
  readonly writable?: boolean;
  readonly allowHalfOpen?: boolean;
  readonly manualStart?: boolean;
  readonly pauseOnCreate?: boolean;
  readonly onread?: OnRead | undefined;
  readonly highWaterMark?: number;
  readonly signal?: AbortSignal;
}

/** By their names. */
export const SOCKET_OPTIONS: readonly (keyof SocketOptions)[] = [
  ...(["fd", "readable", "writable", "allowHalfOpen", "manualStart", "pauseOnCreate"] as const),
  ...(["onread", "highWaterMark", "signal"] as const),
];
