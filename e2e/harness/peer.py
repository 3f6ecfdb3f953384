"""Two ends of test traffic, for the container and for the world outside it.

peer.py serve PORT                      TCP and UDP on all addresses; prints "ready"
peer.py download|upload HOST PORT MIB   over TCP, with a checksum of all bytes; prints the checksum
peer.py datagrams HOST PORT SIZE...     each is sent and has to come back the same; prints their sizes
peer.py trips HOST PORT COUNT            prints the median of their times, in milliseconds
peer.py whole HOST PORT SIZE...         as datagrams, in one frame each: fails where a frame cannot be that large
peer.py resolver ADDRESS                a DNS server that knows one name; prints "ready"
peer.py lookup NAME                     prints the addresses that the system's resolver finds
"""
import hashlib
import os
import socket
import struct
import sys
import threading
import time

MIB = 1 << 20
DIGEST = 32
# Of linux/in.h; Python has no names for them.
IP_MTU_DISCOVER = 10
IP_PMTUDISC_DO = 2


def blocks(mib):
    block = os.urandom(MIB)
    for number in range(mib):
        yield struct.pack("!Q", number) + block[8:]


def send_checked(connection, mib):
    digest = hashlib.sha256()
    for block in blocks(mib):
        digest.update(block)
        connection.sendall(block)
    return digest.digest()


def receive(connection, size):
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError("the connection ended after %d of %d bytes" % (len(data), size))
        data += part
    return bytes(data)


def receive_checked(connection, mib):
    digest = hashlib.sha256()
    for _ in range(mib):
        digest.update(receive(connection, MIB))
    return digest.digest()


def answer(connection):
    with connection:
        order, mib = struct.unpack("!cI", receive(connection, 5))
        if order == b"d":
            connection.sendall(send_checked(connection, mib))
        else:
            connection.sendall(receive_checked(connection, mib))


def echo(server):
    while True:
        data, sender = server.recvfrom(65536)
        server.sendto(data, sender)


def serve(port):
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.bind(("::", port))
    threading.Thread(target=echo, args=(udp,), daemon=True).start()
    tcp = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    print("ready", flush=True)
    while True:
        connection, _ = tcp.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def transfer(order, host, port, mib):
    with socket.create_connection((host, port), timeout=60) as connection:
        connection.sendall(struct.pack("!cI", order[:1].encode(), mib))
        if order == "download":
            ours, theirs = receive_checked(connection, mib), receive(connection, DIGEST)
        else:
            ours, theirs = send_checked(connection, mib), receive(connection, DIGEST)
    if ours != theirs:
        sys.exit("the bytes differ: %s here, %s there" % (ours.hex(), theirs.hex()))
    print(ours.hex())


def datagrams(host, port, sizes, whole=False):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.settimeout(20)
        if whole:
            udp.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        for size in sizes:
            data = os.urandom(size)
            udp.sendto(data, (host, port))
            if udp.recv(65536) != data:
                sys.exit("a datagram of %d bytes came back as another" % size)
    print(*sizes)


def trips(host, port, count):
    times = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(20)
        for _ in range(count):
            began = time.perf_counter()
            udp.sendto(b"trip", (host, port))
            udp.recv(64)
            times.append(time.perf_counter() - began)
    print(sorted(times)[count // 2] * 1000)


def resolver(address):
    """Answers A for service.test with 192.0.2.53, and everything else with "no such name"."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, 53))
    print("ready", flush=True)
    name = b"\x07service\x04test\x00"
    while True:
        query, sender = udp.recvfrom(4096)
        known = query[12:].startswith(name)
        end = query.index(b"\0", 12) + 5
        kind = struct.unpack("!H", query[end - 4 : end - 2])[0]
        answers = 1 if known and kind == 1 else 0
        head = query[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, answers, 0, 0)
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton("192.0.2.53")
        udp.sendto(head + query[12:end] + (record if answers else b""), sender)


def lookup(name):
    found = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
    print(*sorted({entry[4][0] for entry in found}))


def main(verb, *words):
    if verb == "serve":
        serve(int(words[0]))
    elif verb in ("download", "upload"):
        transfer(verb, words[0], int(words[1]), int(words[2]))
    elif verb == "datagrams":
        datagrams(words[0], int(words[1]), [int(word) for word in words[2:]])
    elif verb == "trips":
        trips(words[0], int(words[1]), int(words[2]))
    elif verb == "whole":
        datagrams(words[0], int(words[1]), [int(word) for word in words[2:]], whole=True)
    elif verb == "resolver":
        resolver(words[0])
    else:
        lookup(words[0])


main(*sys.argv[1:])
