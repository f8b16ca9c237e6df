#!/usr/bin/python3
"""Puts a folder back as the disk has it after the power went: tests/powerloss/lost_sync.c.

    lost_sync.py KEEP FOLDER
"""

import os
import shutil
import sys


def put_back(keep, key, to):
    os.makedirs(to, exist_ok=True)
    names = os.path.join(keep, "dir." + key)
    if not os.path.exists(names):
        return
    with open(names) as f:
        lines = [line.rstrip("\n").split(" ", 2) for line in f]
    for kind, sub, name in lines:
        path = os.path.join(to, name)
        if kind == "d":
            put_back(keep, sub, path)
        elif kind == "l":
            os.symlink(sub, path)
        elif os.path.exists(os.path.join(keep, "file." + sub)):
            shutil.copyfile(os.path.join(keep, "file." + sub), path)
        else:
            open(path, "w").close()


def lose_power(keep, folder):
    with open(os.path.join(keep, "root")) as f:
        key = f.read().strip()
    os.umask(0o077)  # modes are not kept, and keys are for their owner only
    shutil.rmtree(folder)
    put_back(keep, key, folder)
    shutil.rmtree(keep)
    os.mkdir(keep)


if __name__ == "__main__":
    lose_power(sys.argv[1], sys.argv[2])
