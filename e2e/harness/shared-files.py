"""Two sides of what programs of one kernel do with a directory that they share.

peer DIR   waits in DIR: a socket, a FIFO, a lock, a watch; answers until it is ended.
probe DIR  talks to the peer through DIR, and prints what came of it as JSON.
insert DIR COUNT   adds rows to a database, one transaction each.
"""
import ctypes
import fcntl
import json
import os
import select
import socket
import sqlite3
import struct
import sys
import time

IN_CREATE = 0x100
DEADLINE_S = 30


def peer(directory):
    lock = open(f"{directory}/flock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    record = open(f"{directory}/posix", "w")
    fcntl.lockf(record, fcntl.LOCK_EX)
    os.mkfifo(f"{directory}/fifo")
    fifo = os.open(f"{directory}/fifo", os.O_RDWR)
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{directory}/socket")
    watch = ctypes.CDLL(None, use_errno=True).inotify_init()
    ctypes.CDLL(None).inotify_add_watch(watch, directory.encode(), IN_CREATE)
    server.listen()
    while True:
        client, _ = server.accept()
        with client:
            client.sendall(json.dumps(answer(client.recv(100), fifo, watch)).encode())


def answer(question, fifo, watch):
    if question == b"fifo":
        return os.read(fifo, 100).decode() if readable(fifo) else None
    if question == b"watch":
        return [name for name in names(os.read(watch, 4096))] if readable(watch) else []
    return "here"


def readable(descriptor):
    return select.select([descriptor], [], [], 5)[0] != []


def names(events):
    while events:
        length = struct.unpack_from("iIII", events)[3]
        yield events[16 : 16 + length].rstrip(b"\0").decode()
        events = events[16 + length :]


def ask(directory, question):
    end = time.monotonic() + DEADLINE_S
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(f"{directory}/socket")
                client.sendall(question)
                return json.loads(client.recv(1000))
        except OSError as error:
            if time.monotonic() > end:
                return type(error).__name__


def refused(directory, name, lock):
    with open(f"{directory}/{name}", "r+") as file:
        try:
            lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
        except OSError:
            return True


def probe(directory, writes):
    result = {"socket": ask(directory, b"hello")}
    if writes:
        result["flock"] = refused(directory, "flock", fcntl.flock)
        result["posix"] = refused(directory, "posix", fcntl.lockf)
        open(f"{directory}/created", "w").close()
        result["watch"] = ask(directory, b"watch")
    fifo = os.open(f"{directory}/fifo", os.O_RDWR | os.O_NONBLOCK)
    os.write(fifo, b"through")
    result["fifo"] = ask(directory, b"fifo")
    print(json.dumps(result))


def insert(directory, count):
    database = sqlite3.connect(f"{directory}/database", timeout=60)
    database.execute("create table if not exists rows (writer int)")
    for _ in range(count):
        with database:
            database.execute("insert into rows values (?)", (os.getpid(),))
    print("inserted")


def rows(directory):
    print(sqlite3.connect(f"{directory}/database").execute("select count(*) from rows").fetchone()[0])


command, directory, *rest = sys.argv[1:]
if command == "peer":
    peer(directory)
elif command == "probe":
    probe(directory, rest != ["readonly"])
elif command == "insert":
    insert(directory, int(rest[0]))
elif command == "rows":
    rows(directory)
