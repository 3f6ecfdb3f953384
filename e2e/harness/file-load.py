"""What work with many files takes, in milliseconds, as JSON: load DIR, where DIR has many files in it."""
import json
import os
import subprocess
import sys
import time


def milliseconds(work):
    began = time.monotonic()
    work()
    return (time.monotonic() - began) * 1000


def files(directory):
    return [os.path.join(at, name) for at, _, names in os.walk(directory) for name in names]


def read(paths):
    for path in paths:
        with open(path) as file:
            file.read()


def command(*args):
    return lambda: subprocess.run(args, check=True, stdout=subprocess.DEVNULL)


directory = sys.argv[1]
paths = files(directory)
print(
    json.dumps(
        {
            "find, by age": milliseconds(command("find", directory, "-newermt", "2000-01-01")),
            "ls -lR": milliseconds(command("ls", "-lR", directory)),
            "open and read each of 2000": milliseconds(lambda: read(paths)),
            "open and read one 500 times": milliseconds(lambda: read(paths[:1] * 500)),
            "python3 -c 'import asyncio'": milliseconds(command("python3", "-c", "import asyncio, http.client, sqlite3")),
            "100 commands of a shell": milliseconds(command("sh", "-c", "for i in $(seq 100); do /usr/bin/true; done")),
        }
    )
)
