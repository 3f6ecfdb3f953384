import { chmod, writeFile } from "node:fs/promises";
import { DROPPED, PULLING } from "./dropped-environment.ts";

const FLAGS = ["--disable-sigusr1", "--v8-pool-size=1", "--no-concurrent-sparkplug", "--no-concurrent-recompilation"];

export interface Launcher {
  /** Which bundle it starts. */
  readonly program: string;
  /** From the script's directory to the bundle's. */
  readonly libexec: string;
  /** It fetches images. */
  readonly pulls: boolean;
  /** It makes containers, which have the limits of its caller: inheritedLimits() of @kata-ts/linux reads them. */
  readonly passesLimits: boolean;
}

/**
 * Engines call the programs by absolute path with any environment: our own Node is found beside the bundle, and what a
 * daemon's environment says to Node or to the dynamic linker is dropped. SIGUSR1 must not open the inspector. V8
 * compiles in no other thread: Node 26, when it exits, waits for its threads, and one that compiles may wait for a
 * collection of garbage that the main thread does not do any more. A shim was seen to hang so, with all delivered. One such
 * thread is enough; each takes room and a place among the processes that its cgroup may have.
 *
 * Arguments are the program's, none is Node's: Node looks for `--env-file` up to `--`, and for the names of its
 * configuration files, all of which begin with `--experimental-`, everywhere. These get a mark: programArguments() of
 * @kata-ts/linux takes it off.
 */
export async function writeLauncher(path: string, { program, libexec, pulls, passesLimits }: Launcher): Promise<void> {
  const script = `#!/bin/sh
self=$0
[ -L "$self" ] && self=$(PATH=\${PATH:-}:/usr/bin:/bin:/run/current-system/sw/bin; readlink -f "$self")
# Called by a name without a slash, it is in the working directory.
case $self in /*) ;; *) self=./$self ;; esac
dir=\${self%/*}/${libexec}
unset ${[...DROPPED, ...(pulls ? [] : PULLING)].join(" ")}
for word; do
  shift
  case $word in --experimental-* | @*--experimental-*) word=@$word ;; esac
  set -- "$@" "$word"
done
${passesLimits ? "KATA_TS_NOFILE=$(ulimit -Sn) " : ""}exec "$dir/node" ${FLAGS.join(" ")} -- "$dir/${program}.mjs" "$@"
`;
  await writeFile(path, script);
  await chmod(path, 0o755);
}
