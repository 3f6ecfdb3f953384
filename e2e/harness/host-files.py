"""Creates a file COUNT times, which the host creates and removes all the time: race FILE COUNT."""
import sys

path, count = sys.argv[2:]
for _ in range(int(count)):
    try:
        open(path, "w").close()
    except OSError:
        pass
print('"alive"')
