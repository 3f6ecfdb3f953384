/** Those of warnings that a container has not had: engines give every process of it the same profile. */
export function unsaid(warnings: readonly string[], said: Set<string>): readonly string[] {
  const fresh = warnings.filter((warning) => !said.has(warning));
  for (const warning of fresh) said.add(warning);
  return fresh;
}
