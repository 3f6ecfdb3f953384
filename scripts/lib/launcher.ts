import { chmod, writeFile } from "node:fs/promises";
import { DROPPED } from "./dropped-environment.ts";

const FLAGS = ["--disable-sigusr1", "--v8-pool-size=1", "--no-concurrent-sparkplug", "--no-concurrent-recompilation"];

/**
 * Writes the script that starts `kata` on our own Node, which is beside its bundle. What the caller's environment says to Node or to the
 * dynamic linker is dropped. SIGUSR1 must not open the inspector. V8 compiles in no other thread: Node 26, when it exits, waits for
 * its threads, and one that compiles may wait for a collection of garbage that the main thread does not do any more. A program was
 * seen to hang so, with all delivered. One such thread is enough; each takes room and a place among the processes that its cgroup may have.
 * Its containers have the limits of its caller: inheritedLimits() of @kata-ts/linux reads them.
 *
 * Arguments are the program's, none is Node's: Node looks for `--env-file` up to `--`, and for the names of its
 * configuration files, all of which begin with `--experimental-`, everywhere. These get a mark: programArguments() of
 * @kata-ts/linux takes it off.
 */
export async function writeLauncher(path: string): Promise<void> {
  const script = `#!/bin/sh
self=$0
[ -L "$self" ] && self=$(PATH=\${PATH:-}:/usr/bin:/bin:/run/current-system/sw/bin; readlink -f "$self")
# Called by a name without a slash, it is in the working directory.
case $self in /*) ;; *) self=./$self ;; esac
dir=\${self%/*}/../libexec/kata-ts
unset ${DROPPED.join(" ")}
for word; do
  shift
  case $word in --experimental-* | @*--experimental-*) word=@$word ;; esac
  set -- "$@" "$word"
done
KATA_TS_NOFILE=$(ulimit -Sn) exec "$dir/node" ${FLAGS.join(" ")} -- "$dir/kata.mjs" "$@"
`;
  await writeFile(path, script);
  await chmod(path, 0o755);
}
