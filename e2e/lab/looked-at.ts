/**
 * A word for the shell of tests. `right NAME`: the container's clock is the host's. The boot id of its guest, and what that draws,
 * are added to /root/drawn, a line each.
 */
export const RIGHT = `
right() {
  earliest=$(date +%s)
  kata exec "$1" sh -c 'date +%s; cat /proc/sys/kernel/random/boot_id; od -An -tx1 -N16 /dev/urandom' >/root/looked
  latest=$(date +%s)
  now=$(head -n 1 /root/looked)
  tail -n 2 /root/looked >>/root/drawn
  [ "$now" -ge "$earliest" ] && [ "$now" -le "$latest" ] || { echo "$1: $now is not from $earliest to $latest"; exit 1; }
}
`;
