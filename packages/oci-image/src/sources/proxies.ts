/** Node's agents use the proxies of an environment from these versions on. */
const SUPPORTED: readonly (readonly [major: number, minor: number])[] = [
  [22, 21],
  [24, 5],
];

export function supportsProxies(version: string = process.versions.node): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 24 || SUPPORTED.some(([known, from]) => major === known && minor >= from);
}

/** Whether the environment has a proxy for such addresses. Never for the loopback, as in Go. */
export function usesProxy(scheme: string, host: string, env: NodeJS.ProcessEnv): boolean {
  const isLoopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(host);
  const name = `${scheme}_proxy`;
  return !isLoopback && Boolean(env[name] ?? env[name.toUpperCase()]);
}
