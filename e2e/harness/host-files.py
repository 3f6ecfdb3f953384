"""What a program of the guest sees of the host's files, and does to them.

race FILE COUNT    creates a file, which the host creates and removes all the time.
opener             looks at each path, says so, and opens it at the next line: answers with its content, or the error's name.
watch DIR          answers each file's name with its content, once inotify has told of a new ..data, and with all names that it told of.
name FILE          sets extended attributes whose names are no text, and one whose name is: what came of each.
"""
import ctypes
import errno
import json
import os
import select
import struct
import sys

IN_CREATE, IN_MOVED_TO = 0x100, 0x80
DEADLINE_S = 30
ODD_NAMES = [b"user.\xff", b"user.a\xc3", b"user.\xed\xa0\x80", b"user.\xc0\xaf", b"user.\xf4\x90\x80\x80"]
NAMES = ["user.plain".encode(), "user.größe €😀".encode()]


def race(path, count):
    for _ in range(int(count)):
        try:
            open(path, "w").close()
        except OSError:
            pass
    print('"alive"')


def opened(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError as error:
        return errno.errorcode[error.errno]


def opener():
    print("ready", flush=True)
    for line in sys.stdin:
        path = line.rstrip("\n")
        os.stat(path)  # What is known is fresh by it, and nothing is read that would make it old again.
        print("seen", flush=True)
        sys.stdin.readline()
        print(json.dumps(opened(path)), flush=True)


def changes(inotify):
    names = []
    while "..data" not in names and select.select([inotify], [], [], DEADLINE_S)[0]:
        events = os.read(inotify, 65536)
        while events:
            length = struct.unpack_from("iIII", events)[3]
            names.append(events[16 : 16 + length].rstrip(b"\0").decode())
            events = events[16 + length :]
    return names


def watch(directory):
    libc = ctypes.CDLL(None)
    inotify = libc.inotify_init()
    libc.inotify_add_watch(inotify, directory.encode(), IN_CREATE | IN_MOVED_TO)
    print("ready", flush=True)
    for line in sys.stdin:
        told = changes(inotify)
        print(json.dumps({"told": told, "content": opened(f"{directory}/{line.strip()}")}), flush=True)


def outcome(path, name):
    try:
        os.setxattr(path, name, b"value")
        return os.getxattr(path, name).decode()
    except OSError as error:
        return errno.errorcode[error.errno]


def name(path):
    print(json.dumps({"odd": [outcome(path, name) for name in ODD_NAMES], "text": [outcome(path, name) for name in NAMES]}))


command, *rest = sys.argv[1:]
{"race": race, "opener": opener, "watch": watch, "name": name}[command](*rest)
