/** A process that counts in memory what it is asked by a fifo, and answers by another one: after `sh -c`. */
export const ASKED = 'mkfifo /in /out; n=0; while :; do read line </in; n=$((n + 1)); echo "$line $n" >/out; done';

/** What asks it, and prints the answer: after `sh -c`. */
export function asking(line: string): string {
  return `until test -p /out; do :; done; echo ${line} >/in; cat /out`;
}
