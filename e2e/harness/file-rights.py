"""Owners, modes and ACLs of files that are shared, as programs of several users meet them.

prepare DIR        makes files with ACLs in it, as root of the host.
tell DIR OTHER     prints as JSON who may do what with them, and what becomes of them; OTHER is for copies.
read FILE UID GID  prints what one user with one more group reads.
rules FILE         prints a file's ACL.
"""
import errno
import json
import os
import stat
import struct
import subprocess
import sys

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
OWNER, USER, GROUP, MASK, OTHER = 1, 2, 4, 16, 32
NOBODY = 0xFFFFFFFF


def acl(**entries):
    """As the kernel has it: acl(owner=6, user=4, group=0, mask=4, other=0), the user being 1000."""
    tags = {"owner": OWNER, "user": USER, "group": GROUP, "mask": MASK, "other": OTHER}
    packed = [struct.pack("<HHI", tags[who], may, 1000 if who == "user" else NOBODY) for who, may in entries.items()]
    return struct.pack("<I", 2) + b"".join(packed)


def rules(path, kind=ACCESS):
    """The same, read back: tag and permissions of each entry."""
    try:
        value = os.getxattr(path, kind)
    except OSError as error:
        return errno.errorcode[error.errno]
    return " ".join(f"{tag}:{may}" for tag, may, _ in struct.iter_unpack("<HHI", value[4:]))


def mode(path):
    return oct(stat.S_IMODE(os.stat(path).st_mode))[2:]


def as_user(uid, action, groups=()):
    """What an action of a user came to, or the error's name."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(list(groups))
            os.setgid(uid)
            os.setuid(uid)
            outcome = action()
        except OSError as error:
            outcome = errno.errorcode[error.errno]
        os.write(write, json.dumps(outcome).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with open(read) as pipe:
        return json.load(pipe)


def reading(path):
    return lambda: open(path).read()


def writing(path):
    return lambda: open(path, "a").write("more") and "written"


def prepare(directory):
    def made(name, permissions, **entries):
        path = f"{directory}/{name}"
        with open(path, "w") as file:
            file.write(name)
        os.chmod(path, permissions)
        os.setxattr(path, ACCESS, acl(**entries))

    made("granted", 0o600, owner=6, user=4, group=0, mask=4, other=0)
    made("denied", 0o666, owner=6, user=0, group=6, mask=6, other=6)
    for name in ["heir", "own"]:
        os.mkdir(f"{directory}/{name}")
    os.chmod(f"{directory}/heir", 0o777)
    os.setxattr(f"{directory}/heir", DEFAULT, acl(owner=6, user=6, group=6, mask=6, other=4))
    os.chown(f"{directory}/own", 1001, 1001)
    os.chmod(directory, 0o755)


def inherited(heir):
    os.umask(0o077)
    os.close(os.open(f"{heir}/file", os.O_CREAT | os.O_WRONLY, 0o666))
    os.mkdir(f"{heir}/dir")
    os.mkfifo(f"{heir}/fifo")
    kinds = {name: [mode(f"{heir}/{name}"), rules(f"{heir}/{name}")] for name in ["file", "dir", "fifo"]}
    return {**kinds, "default": rules(f"{heir}/dir", DEFAULT)}


def set_by_owner(own):
    path = f"{own}/file"
    os.umask(0o077)
    with open(path, "w") as file:
        file.write("own")
    before = mode(path)
    os.setxattr(path, ACCESS, acl(owner=6, user=6, group=0, mask=6, other=0))
    after = mode(path)
    os.chmod(path, 0o640)
    return [before, after, mode(path), rules(path)]


def copies(own, other):
    def run(*command):
        subprocess.run(command, check=True)

    made = {}
    for name, command in {
        "cp -a": ["cp", "-a", f"{own}/file", f"{own}/all"],
        "cp -p": ["cp", "-p", f"{own}/file", f"{own}/kept"],
        "cp -a across": ["cp", "-a", f"{own}/file", f"{other}/all"],
        "mv": ["mv", f"{own}/all", f"{own}/moved"],
        "mv across": ["mv", f"{own}/kept", f"{other}/moved"],
        "mv back": ["mv", f"{other}/moved", f"{own}/back"],
    }.items():
        run(*command)
        made[name] = [mode(command[-1]), rules(command[-1])]
    return made


def tell(directory, other):
    told = {
        "granted": [as_user(uid, reading(f"{directory}/granted")) for uid in [1000, 1001]],
        "denied": [as_user(uid, reading(f"{directory}/denied")) for uid in [1000, 1001]],
        "heir": as_user(1001, lambda: inherited(f"{directory}/heir")),
        "to the heir": as_user(1000, writing(f"{directory}/heir/file")),
        "own": as_user(1001, lambda: set_by_owner(f"{directory}/own")),
        "to the own": [as_user(1000, action(f"{directory}/own/file")) for action in [reading, writing]],
        "copies": as_user(1001, lambda: copies(f"{directory}/own", other)),
    }
    print(json.dumps(told))


def read(path, uid, group):
    print(json.dumps(as_user(int(uid), reading(path), [int(group)])))


command, *rest = sys.argv[1:]
{"prepare": prepare, "tell": tell, "read": read, "rules": lambda path: print(rules(path))}[command](*rest)
