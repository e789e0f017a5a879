"""The disk under a power cut: recorded, replayed up to any write, mounted."""

import os
import pathlib
import shutil
import struct
import subprocess
import time

from gateway import Violation

BOOT_ID = "/proc/sys/kernel/random/boot_id"
SECTOR = 512
MIB = 1 << 20
SIZES = {"ext4": 48 * MIB, "btrfs": 128 * MIB, "xfs": 310 * MIB}
MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"],
    "btrfs": ["mkfs.btrfs", "-q", "-f", "-K", "-M"],
    "xfs": ["mkfs.xfs", "-q", "-f", "-K"],
}


def call(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise Violation(f"{' '.join(str(part) for part in command)}: {done.stderr.strip()}")
    return done.stdout.strip()


def missing(context):
    """Why this machine cannot play power cuts; nothing when it can."""
    if context.crash_disk is None:
        return "this build has no tests/crash_disk (./dev build dev makes it)"
    if os.geteuid() != 0:
        return "not root"
    for node in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(node):
            return "no " + node
    if not context.own_mounts:
        return "no mount namespace of its own (unshare -m)"
    if not shutil.which("mkfs.ext4"):
        return "no mkfs.ext4"
    if subprocess.run(["losetup", "--find"], capture_output=True).returncode != 0:
        return "no free loop device"
    return None


class Mounted:
    """A file or device, mounted while this lasts."""

    def __init__(self, what, where, file_system):
        self._what, self._where = what, where
        self._options = "loop" if pathlib.Path(what).is_file() else "rw"
        self._file_system = file_system

    def __enter__(self):
        self._where.mkdir(exist_ok=True)
        call("mount", "-t", self._file_system, "-o", self._options, self._what, self._where)
        return self

    def __exit__(self, *_):
        call("umount", self._where)


class CrashDisk:
    """A fresh file system on a disk that records what it is told, while this lasts."""

    def __init__(self, context, file_system):
        self.file_system = file_system
        self._context, work = context, context.work
        self._image, self._log, self._fuse = work / "disk.img", work / "disk.log", work / "fuse"
        self._start = work / "start.img"
        self.state = work / "state.img"
        self.device = None

    def __enter__(self):
        self._image.unlink(missing_ok=True)
        with open(self._image, "wb") as image:
            image.truncate(SIZES[self.file_system])
        call(*MAKE[self.file_system], self._image)
        copy(self._image, self._start)
        self._fuse.mkdir(exist_ok=True)
        self._process = subprocess.Popen([self._context.crash_disk, self._image, self._log, self._fuse])
        try:
            self._attach()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _attach(self):
        limit = time.monotonic() + 10
        while not (self._fuse / "disk").exists():
            if self._process.poll() is not None or time.monotonic() > limit:
                raise Violation("the disk that records did not come up")
            time.sleep(0.005)
        self._mark = os.open(self._fuse / "mark", os.O_WRONLY)
        self.device = call("losetup", "--find", "--show", self._fuse / "disk")

    def __exit__(self, *_):
        if self.device:
            call("losetup", "--detach", self.device)
            os.close(self._mark)
        subprocess.run(["umount", "--lazy", self._fuse], capture_output=True)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def mark(self, text):
        """What is now said to be safe."""
        os.write(self._mark, text.encode() + b"\n")

    def settle(self):
        """What mounting alone writes is no crash to be tested."""
        call("sync", "--file-system", self._context.work / "mounted")
        self._first = len(read_log(self._log))

    def record(self):
        return Record(self.file_system, self._start, self.state, read_log(self._log), self._first)


def read_log(path):
    """(type, offset, bytes), …"""
    entries, data, at = [], path.read_bytes(), 0
    while at + 24 <= len(data):
        kind, offset, size = struct.unpack_from("<QQQ", data, at)
        if at + 24 + size > len(data):
            break
        entries.append((chr(kind), offset, data[at + 24 : at + 24 + size]))
        at += 24 + size
    return entries


def copy(source, target):
    call("cp", "--sparse=always", source, target)


class Record:
    """What a disk was told in order, and what it may hold after a power cut."""

    def __init__(self, file_system, start, state, entries, first):
        self.file_system, self.state, self.entries = file_system, state, entries
        self._image = start  # Everything flushed before `_done` is in it.
        self._done = 0
        self._first = first

    def cuts(self, rng, count, hows):
        """So many places, and which part of what was not flushed the disk then holds."""
        return [(rng.randrange(self._first, len(self.entries) + 1), rng.choice(hows)) for _ in range(count)]

    def make_state(self, rng, cut, how):
        """Makes `state`; returns what had been said to be safe. In the order of the cuts.

        flushed: nothing that was not flushed. prefix: all of it. subset: some of the writes. torn:
        some of their sectors. lying: some of the writes that were flushed are missing, too.
        """
        flushes = [at for at in range(cut) if self.entries[at][0] == "F"]
        durable = flushes[-1] if flushes else 0
        if how == "lying":
            durable = min(durable, max(self._done, self._first, cut - rng.choice([20, 100, 400])))
        with open(self._image, "r+b") as image:
            for kind, offset, data in self.entries[self._done : durable]:
                if kind == "W":
                    os.pwrite(image.fileno(), data, offset)
        self._done = max(self._done, durable)
        copy(self._image, self.state)
        share = rng.choice([0.1, 0.5, 0.9])
        with open(self.state, "r+b") as image:
            for kind, offset, data in self.entries[self._done : cut]:
                if kind == "W":
                    for part, piece in self._held(rng, how, data, share):
                        os.pwrite(image.fileno(), piece, offset + part)
        said = set()
        for kind, _, text in self.entries[:cut]:
            if kind == "M":
                said |= {tuple(line.split()) for line in text.decode().splitlines()}
        return sorted(said)

    @staticmethod
    def _held(rng, how, data, share):
        if how == "prefix" or (how in ("subset", "lying") and rng.random() < share):
            return [(0, data)]
        if how == "torn":
            return [
                (at, data[at : at + SECTOR]) for at in range(0, len(data), SECTOR) if rng.random() < share
            ]
        return []

    def repair_and_try(self, honest):
        """True when it can be mounted. A lying disk's file system goes through fsck first, as it would."""
        if not honest:
            done = subprocess.run(["e2fsck", "-f", "-y", str(self.state)], capture_output=True)
            return done.returncode < 4
        return True
