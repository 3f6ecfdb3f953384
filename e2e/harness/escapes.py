"""What a hostile guest tries to reach addresses that it may not call. Prints each try's result as JSON.

escapes.py GATEWAY SERVER OTHER ALLOWED FORBIDDEN     two addresses, and two names
"""
import json
import socket
import struct
import subprocess
import sys

gateway, server, other, allowed, forbidden = sys.argv[1:]
TIMEOUT = 15


def outcome(action):
    try:
        return action()
    except OSError as error:
        return type(error).__name__ if error.errno is None else error.strerror


def connect(address, port):
    with socket.create_connection((address, port), TIMEOUT) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return connection.recv(100).decode().split("\r\n")[0]


def question(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)


def meaning(answer):
    code, count = answer[3] & 15, struct.unpack("!H", answer[6:8])[0]
    return socket.inet_ntoa(answer[-4:]) if count else "code %d" % code


def ask(name, resolver):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as query:
        query.settimeout(TIMEOUT)
        query.connect((resolver, 53))
        query.send(question(name))
        return meaning(query.recv(512))


def ask_by_tcp(name, resolver):
    with socket.create_connection((resolver, 53), TIMEOUT) as stream:
        query = question(name)
        stream.sendall(struct.pack("!H", len(query)) + query)
        return meaning(stream.recv(512)[2:])


def forged_answer(name):
    """An answer without a question, from the address of the host's resolver, and from the guest's own."""
    answer = bytearray(question(name))
    answer[2:8] = struct.pack("!HHH", 0x8180, 1, 1)
    answer += b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(other)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as honest:
        honest.sendto(bytes(answer), (gateway, 53))
    for port in range(32768, 32868):
        raw(server, gateway, 53, port, bytes(answer))


def raw(source, target, source_port, target_port, payload):
    """A datagram in a packet of our own making."""
    udp = struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                     socket.inet_aton(source), socket.inet_aton(target))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
        sender.sendto(ip + udp, (target, 0))


def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((gateway, 53))
        return probe.getsockname()[0]


def by_ipv6():
    for switch in ("disable_ipv6", "accept_dad", "dad_transmits"):
        with open("/proc/sys/net/ipv6/conf/eth0/" + switch, "w") as file:
            file.write("0")
    for command in ("addr add fe80::2/64 dev eth0", "-6 route add default via fe80::1 dev eth0"):
        subprocess.run(["/busybox", "ip", *command.split()], check=True)
    with socket.create_connection(("2001:db8::1", 80), TIMEOUT):
        return "connected"


me = own_address()
print(json.dumps({
    "direct": outcome(lambda: connect(server, 80)),
    "forbidden name": outcome(lambda: ask(forbidden, gateway)),
    "forbidden name by TCP": outcome(lambda: ask_by_tcp(forbidden, gateway)),
    "other resolver": outcome(lambda: ask(allowed, server)),
    "other resolver by TCP": outcome(lambda: ask_by_tcp(allowed, server)),
    "raw": outcome(lambda: raw(me, server, 7, 9, b"raw")),
    "raw, forged": outcome(lambda: raw("10.0.0.1", server, 7, 9, b"forged")),
    "forged answer": outcome(lambda: forged_answer(allowed)),
    "after forged answer": outcome(lambda: connect(other, 80)),
    "IPv6": outcome(by_ipv6),
    "allowed name by TCP": outcome(lambda: ask_by_tcp(allowed, gateway)),
    "allowed": outcome(lambda: connect(server, 80)),
    "other port": outcome(lambda: connect(server, 81)),
    "raw to an allowed address": outcome(lambda: raw(me, server, 7, 9, b"raw again")),
}))
