"""Runs a runtime as engines do: collects what falls to it until the process of the pid file has ended, and prints each pid's status."""
import ctypes
import json
import os
import signal
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36
DEADLINE_SECONDS = 120

pid_file, command = sys.argv[1], sys.argv[2:]
ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
signal.alarm(DEADLINE_SECONDS)
runtime = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
collected = {}


def is_over():
    if runtime.pid not in collected:
        return False
    with open(pid_file) as file:
        return int(file.read()) in collected


while not is_over():
    try:
        pid, status = os.waitpid(-1, 0)
    except ChildProcessError:
        break
    collected[pid] = os.waitstatus_to_exitcode(status)
json.dump({"runtime": collected.get(runtime.pid), "collected": collected}, sys.stdout)
