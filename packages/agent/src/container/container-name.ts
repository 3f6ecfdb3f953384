/** Names become those of files. */
const LONGEST = 200;

/**
 * What a new container's bundle and control group are called: its id, unless another one was made with that, which has been given
 * another id since.
 *
 * @param taken names of the containers that are there
 */
export function nameFor(id: string, taken: ReadonlySet<string>): string {
  if (!taken.has(id)) return id;
  for (let number = 1; ; number++) {
    const name = `${id.slice(0, LONGEST)}.${String(number)}`;
    if (!taken.has(name)) return name;
  }
}
