import type { ConnectOptions } from "./connecting.ts";

/** What an object may say of where to connect to. */
export const TARGET: readonly string[] = ["path", "port", "host"];

/** Options, a path, or a port with a host; a listener may follow. */
export function connectArguments(args: readonly unknown[]): { options: ConnectOptions; listener?: () => void } {
  const last = args.at(-1);
  const listener = typeof last === "function" ? { listener: last as () => void } : {};
  const [first, host] = args;
  if (typeof first === "object" && first !== null) return { options: first, ...listener };
  if (typeof first === "string" && !/^\d+$/.test(first)) return { options: { path: first }, ...listener };
  return { options: { port: Number(first), host: typeof host === "string" ? host : "localhost" }, ...listener };
}
