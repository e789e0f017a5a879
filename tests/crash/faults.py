"""Each call that touches the disk fails, or is the last one before a SIGKILL, one after the other."""

import collections
import concurrent.futures
import errno
import pathlib
import queue
import random
import shutil
import struct
import threading

import checks
from gateway import Gateway, Violation
from images import blobs_of, make_images
from pull import get_blob, get_manifest
from registry import Registry

ERRORS = ["ENOSPC", "EIO", "EROFS", "EDQUOT"]
BENCHES = 4
WAYS = [("kill", "")] + [(deed, error) for error in ERRORS for deed in ("once", "always")]


def run(context, cycles):
    """`cycles` of the calls of two workloads, spread over all of them; 0: every call, thrice."""
    if context.interposer is None:
        context.skip("faults", "this build has no tests/libcrash_faults.so (./dev build dev makes it)")
        return
    rng = random.Random(context.seed)
    images = make_images(context.seed, 3, largest=2 << 20)
    tally = collections.Counter()
    jobs, kept = [], {}
    for used in (False, True):
        bench = Bench(context, images, f"count-{used}")
        try:
            kept[used] = bench.prepare(context.work / "kept") if used else None
            calls = bench.count_calls(kept[used])
        finally:
            bench.close()
        if calls < 30:
            raise Violation(f"only {calls} calls were seen: the interposer is not at work")
        tally["calls in the workloads"] += calls
        jobs += [(used, *point) for point in plan(rng, calls, cycles // 2)]
    at_once(context, images, kept, jobs, tally)
    context.report("faults", ", ".join(f"{count} {what}" for what, count in sorted(tally.items())))


def at_once(context, images, kept, jobs, tally):
    """A sick disk makes archway wait rather than work, so some benches share the machine."""
    waiting, over = queue.SimpleQueue(), threading.Event()
    for job in jobs:
        waiting.put(job)

    def work(name):
        bench = Bench(context, images, name)
        try:
            while not over.is_set():
                used, number, (deed, error) = waiting.get_nowait()
                where = f"{deed} {error} at call {number}, {'used' if used else 'new'} directory"
                bench.run(kept[used], number, deed, error, tally)
        except queue.Empty:
            pass
        except Violation as violation:
            raise Violation(f"{where}: {violation}") from None
        finally:
            over.set()
            bench.close()

    with concurrent.futures.ThreadPoolExecutor(BENCHES) as pool:
        for bench in [pool.submit(work, f"bench-{number}") for number in range(BENCHES)]:
            bench.result()


def plan(rng, calls, cycles):
    """(number of the call, what happens there), …"""
    if cycles == 0:
        each = range(1, calls + 1)
        return [(number, WAYS[0]) for number in each] + [
            (number, WAYS[1 + (2 * number + turn) % 8]) for turn in (0, 1) for number in each
        ]
    step = calls / cycles
    numbers = [1 + int(step * (turn + rng.random())) for turn in range(cycles)]
    return [(number, WAYS[turn % len(WAYS)]) for turn, number in enumerate(numbers)]


class Bench:
    """One workload on a fresh copy of a directory: start, pull everything twice, stop."""

    def __init__(self, context, images, name):
        self._interposer, self._images = context.interposer, images
        self._registry = Registry(images, rate=0)
        self._gateway = Gateway(context.binary, context.work / name, self._registry.url)
        self._count = context.work / (name + ".count")

    def close(self):
        self._gateway.close()
        self._registry.close()

    def prepare(self, kept):
        """Makes `kept`, a directory that knows some of the images and was not closed in order."""
        self._fresh(None)
        self._gateway.start()
        checks.serves(self._gateway, self._images[:2], blobs_of(self._images[:2]))
        self._gateway.kill()
        shutil.copytree(self._gateway.directory, kept)
        return kept

    def _fresh(self, kept):
        self._registry.online = True
        shutil.rmtree(self._gateway.directory, ignore_errors=True)
        if kept:
            shutil.copytree(kept, self._gateway.directory)

    def _environment(self, number, deed, error):
        self._count.write_bytes(bytes(64))
        return {
            "LD_PRELOAD": str(self._interposer),
            "CRASH_FAULTS_BELOW": str(self._gateway.directory),
            "CRASH_FAULTS_AT": str(number),
            "CRASH_FAULTS_DO": deed,
            "CRASH_FAULTS_ERRNO": str(getattr(errno, error)) if error else "0",
            "CRASH_FAULTS_COUNT": str(self._count),
        }

    def _seen(self):
        calls, done, where = struct.unpack("<QQ48s", self._count.read_bytes())
        return calls, done, where.rstrip(b"\0").decode()

    def count_calls(self, kept):
        self._fresh(kept)
        try:
            self._gateway.start(self._environment(0, "count", ""))
            self._pull(collections.Counter(), set())
            self._gateway.stop()
        finally:
            self._gateway.close()
        return self._seen()[0]

    def run(self, directory, number, deed, error, tally):
        self._fresh(directory)
        kept = set()
        try:
            self._with_fault(directory, number, deed, error, tally, kept)
            # A disk that says it is full makes archway give blobs up, and that is no loss.
            self._afterwards(set() if error in ("ENOSPC", "EDQUOT") else kept)
        except Violation as violation:
            raise Violation(f"in {self._seen()[2] or 'no call'}: {violation}") from None
        finally:
            self._gateway.close()

    def _with_fault(self, directory, number, deed, error, tally, kept):
        self._gateway.spawn(self._environment(number, deed, error))
        up = self._gateway.wait_until_up()
        if up:
            self._pull(tally, kept)
        ended = self._gateway.end()
        if deed == "kill":
            if ended not in (0, -9):  # 0: this run had fewer calls
                raise Violation(f"archway ended with {ended}:\n{self._gateway.log_end()}")
            tally["killed" if ended else "not reached"] += 1
        elif ended == 0:
            tally["survived"] += 1
        elif up or ended < 0:
            raise Violation(f"archway ended by itself with {ended}:\n{self._gateway.log_end()}")
        else:
            self._refused(error, directory, tally)

    def _refused(self, error, directory, tally):
        """To start: it may be, where there is nothing to serve yet, or when reading fails."""
        if directory and error in ("ENOSPC", "EDQUOT"):
            raise Violation(f"a full disk keeps archway from starting:\n{self._gateway.log_end()}")
        tally[f"refused to start by {error}, {'used' if directory else 'new'} directory"] += 1

    def _pull(self, tally, kept):
        """Everything, twice: the second time it is there already."""
        for _ in range(2):
            for image in self._images:
                self._tell(get_manifest(self._gateway.port, image), tally, kept, image, None)
                for digest in image.blobs:
                    self._tell(get_blob(self._gateway.port, image, digest), tally, kept, image, digest)

    def _tell(self, answer, tally, kept, image, digest):
        if not answer.whole:
            tally["answers that failed"] += 1 if self._gateway.running() else 0
        elif answer.cache == "hit" and digest is not None and self._seen()[1] == 0:
            kept.add((image, digest))  # From the first failure on the index may not hold what memory does.

    def _afterwards(self, kept):
        """On a disk that is well again: what was kept is there, and everything can be had."""
        checks.Files(self._gateway.directory).check()
        self._registry.online = False
        self._gateway.start()
        checks.serves(self._gateway, (), kept)
        self._registry.online = True
        checks.serves(self._gateway, self._images, blobs_of(self._images))
        checks.accounts(self._gateway)
        self._gateway.stop()
        checks.Files(self._gateway.directory).check()
