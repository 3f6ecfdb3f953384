/** Words for the scripts of tests, written once to a file that they read with `. lab`. */
const WORDS = String.raw`
set -eu
# kata ARGUMENT...: the runtime, with the options in $GLOBALS.
kata() { kata-runtime ${"$"}{GLOBALS:-} "$@"; }
# start NAME: its container, in the background; what it writes is in /root/start.log.
start() {
  kata run --detach --bundle "/root/$1" "$1" </dev/null >/root/start.log 2>&1 || { cat /root/start.log; exit 1; }
}
# is WHAT ACTUAL EXPECTED: fails with both where they differ.
is() { [ "$2" = "$3" ] || { printf '%s: got "%s", not "%s"\n' "$1" "$2" "$3"; exit 1; }; }
# await SECONDS COMMAND...: until the command succeeds.
await() {
  await_end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $await_end ] || { printf 'has not come: %s\n' "$*"; return 1; }
    sleep 0.2
  done
}
# on_terminal COMMAND: what it shows on a terminal of 33 rows and 44 columns, without a key being pressed: where script's own
# standard input has ended, it types a NUL, which a terminal in a container shows as ^@.
on_terminal() {
  test -p /root/no-keys || mkfifo /root/no-keys
  script -qec "stty rows 33 cols 44; $1" /dev/null <>/root/no-keys | tr -d '\r'
}
# there: what a runtime, an engine or systemd has made for containers.
there() {
  find /sys/fs/cgroup -type d | sort
  systemctl list-units --all --plain --no-legend --type=scope,slice | cut -d' ' -f1
  ls /run/kata-ts/vm 2>/dev/null || true
  kata-runtime list -q
  ip -o link | cut -d: -f2 | sort
  ip netns
  pgrep -af 'qemu-system|virtiofsd|kata-(proxy|shim)' || true
  losetup --noheadings --list --output NAME
}
# note: remembers that.
note() { there >/root/before; }
unchanged() {
  there >/root/now
  cmp -s /root/before /root/now
}
# nothing_left: all of it is as it was when it was noted; systemd takes a while to remove its units.
nothing_left() { await 60 unchanged || { diff /root/before /root/now; exit 1; }; }
`;

/** What a host's configuration.toml says beside the small memory and the patience that an emulated KVM asks for. */
export interface HostConfiguration {
  /** Lines of `[hypervisor.qemu]`. */
  readonly hypervisor?: string;
  /** Sections of their own. */
  readonly more?: string;
}

/** A script that writes the words, and the configuration of the host's runtime. */
export function preparation({ hypervisor = 'accel = "kvm"', more = "" }: HostConfiguration): string {
  return `
# It ends by itself half a minute after the boot: in the middle of a test.
systemctl stop --quiet netavark-dhcp-proxy.service 2>/dev/null || true
mkdir -p /etc/kata-ts
cat >/etc/kata-ts/configuration.toml <<'TOML'
[hypervisor.qemu]
default_memory = 512
${hypervisor}
[runtime]
boot_timeout = 600
${more}
TOML
cat >/usr/local/bin/lab <<'WORDS'
${WORDS}
WORDS
`;
}
