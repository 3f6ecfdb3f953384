"""What a hostile guest sends where it may send nothing. Prints what became of each try, as JSON.

beyond-egress.py ALLOWED OTHER ALLOWED6 OTHER6 PORT     of the allowed ones it may call PORT alone
"""
import json
import socket
import struct
import sys

allowed, other, allowed6, other6, port = sys.argv[1:]
TIMEOUT = 20
ETH_P_ALL = 3
VLAN = struct.pack("!HH", 0x8100, 5)


def outcome(action):
    try:
        action()
        return "sent"
    except OSError as error:
        return type(error).__name__ if error.errno is None else error.strerror


def connect(address, number):
    socket.create_connection((address, number), TIMEOUT).close()


def ask_by_tcp():
    with socket.create_connection((allowed, 53), TIMEOUT) as stream:
        stream.recv(1)


def datagram(address, number):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.settimeout(TIMEOUT)
        sender.connect((address, number))
        sender.send(b"beyond")
        sender.recv(100)


def packet(source, target, number):
    udp = struct.pack("!HHHH", 7, number, 14, 0) + b"beyond"
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                     socket.inet_aton(source), socket.inet_aton(target))
    sum_ = sum(struct.unpack("!10H", ip))
    sum_ = (sum_ & 0xFFFF) + (sum_ >> 16)
    return ip[:10] + struct.pack("!H", ~sum_ & 0xFFFF) + ip[12:] + udp


def frame(source, target, number, tag=b"", sender=None):
    """Past the guest's own stack: it looks at neither addresses nor routes."""
    mac = bytes.fromhex(open("/sys/class/net/eth0/address").read().strip().replace(":", ""))
    ethernet = b"\xff" * 6 + (sender or mac) + tag + struct.pack("!H", 0x0800)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as raw:
        raw.bind(("eth0", 0))
        raw.send(ethernet + packet(source, target, number))


def own():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((allowed, 9))
        return probe.getsockname()[0]


me = own()
number = int(port)
print(json.dumps({
    "another address": outcome(lambda: connect(other, number)),
    "another address over IPv6": outcome(lambda: connect(other6, number)),
    "another port": outcome(lambda: connect(allowed, number + 1)),
    "another port over IPv6": outcome(lambda: connect(allowed6, number + 1)),
    "a datagram": outcome(lambda: datagram(other, number)),
    "a datagram over IPv6": outcome(lambda: datagram(other6, number)),
    "a name": outcome(lambda: datagram(allowed, 53)),
    "a name by TCP": outcome(ask_by_tcp),
    "raw": outcome(lambda: frame(me, other, number)),
    "raw, forged": outcome(lambda: frame("10.211.0.99", allowed, number)),
    "raw, of another card": outcome(lambda: frame(me, allowed, number, sender=b"\x02\0\0\0\0\x99")),
    "raw, in a virtual network": outcome(lambda: frame(me, allowed, number, tag=VLAN)),
    "allowed": outcome(lambda: connect(allowed, number)),
    "allowed over IPv6": outcome(lambda: connect(allowed6, number)),
    "an allowed datagram": outcome(lambda: datagram(allowed, number)),
}))
