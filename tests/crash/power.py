"""The power fails at any write: what the disk may then hold, made from a record of every write."""

import collections
import random
import shutil
import subprocess
import threading
import time
import uuid

import checks
from disk import BOOT_ID, CrashDisk, Mounted, missing
from gateway import Gateway, Violation
from images import blobs_of, make_images
from pull import get_blob, get_manifest
from registry import Registry

# File system, durability, does the disk tell the truth about flushes, share of the states.
SCENES = [
    ("ext4", "strict", True, 8),
    ("ext4", "strict", False, 4),
    ("ext4", "relaxed", True, 3),
    ("btrfs", "strict", True, 2),
    ("xfs", "strict", True, 3),
]
STATES_A_RECORD = 50
HOW_HONEST = ["flushed", "prefix", "subset", "subset", "torn"]
CLIENTS = 4


def run(context, cycles):
    """`cycles` crash states over all scenes."""
    why = missing(context)
    if why:
        context.skip("power", why)
        return
    scenes = [scene for scene in SCENES if shutil.which("mkfs." + scene[0])]
    shares = sum(scene[3] for scene in scenes)
    rng = random.Random(context.seed)
    total, answers = 0, []
    boot_id = BootId(context.work / "boot_id")
    try:
        for scene in scenes:
            left = max(1, round(cycles * scene[3] / shares))
            tally = collections.Counter()
            while left > 0:
                states = min(left, STATES_A_RECORD)
                answers += play(context, rng, boot_id, scene, states, tally)
                left -= states
                total += states
            context.report("power", f"{name_of(scene)}: " + told(tally))
    finally:
        boot_id.close()
    context.judge_starts("power", answers)
    context.report("power", f"{total} states; {context.starts(answers)}")


def name_of(scene):
    return f"{scene[0]}, {scene[1]}" + ("" if scene[2] else ", a disk that lies about flushes")


def told(tally):
    return ", ".join(f"{count} {what}" for what, count in tally.items())


class BootId:
    """This part's mount namespace has a boot id of its own: a power cut means another one."""

    def __init__(self, path):
        self._path = path
        self.renew()
        subprocess.run(["mount", "--bind", path, BOOT_ID], check=True)

    def renew(self):
        self._path.write_text(f"{uuid.uuid4()}\n")

    def close(self):
        subprocess.run(["umount", BOOT_ID], check=True)


def play(context, rng, boot_id, scene, states, tally):
    """One workload on a disk that remembers, then so many ways in which its power may have failed."""
    file_system, durability, honest, _ = scene
    images = make_images(rng.randrange(1 << 30), 8, largest=512 << 10)
    registry = Registry(images, rate=4 << 20)
    gateway = Gateway(
        context.binary, context.work / "mounted/cache", registry.url, context.work, durability
    )
    try:
        context.at(f"{name_of(scene)}: the workload")
        boot_id.renew()
        record = record_of(context, file_system, registry, gateway, images)
        tally["writes and flushes recorded"] += len(record.entries)
        registry.rate = 0
        for cut, how in sorted(record.cuts(rng, states, HOW_HONEST if honest else ["lying"])):
            context.at(f"{name_of(scene)}: {how} at {cut} of {len(record.entries)}")
            boot_id.renew()
            state = State(record, gateway, registry, images, honest, durability == "strict")
            state.check(rng, cut, how, tally)
    finally:
        gateway.close()
        registry.close()
    return gateway.first_answers[1:]


def record_of(context, file_system, registry, gateway, images):
    """Runs the workload; what the disk was told while it ran."""
    with CrashDisk(context, file_system) as disk:
        with Mounted(disk.device, gateway.directory.parent, file_system):
            disk.settle()
            gateway.start()
            pull_and_tell(gateway, registry, images, disk)
            record = disk.record()  # What comes after this is no longer told.
            gateway.kill()
    return record


def pull_and_tell(gateway, registry, images, disk):
    """Clients pull everything; what archway has said that it has goes into the disk's record."""
    left, lock, violations = list(enumerate(images)), threading.Lock(), []

    def work():
        try:
            while True:
                with lock:
                    if not left:
                        return
                    number, image = left.pop()
                pull_one(number, image)
        except Violation as violation:
            violations.append(violation)

    def pull_one(number, image):
        if not get_manifest(gateway.port, image).whole:
            raise Violation(f"a pull failed on a disk that is well:\n{gateway.log_end()}")
        disk.mark(f"{number} manifest")
        for digest in image.blobs:
            for _ in range(200):
                answer = get_blob(gateway.port, image, digest)
                if not answer.whole:
                    raise Violation(f"a pull failed on a disk that is well:\n{gateway.log_end()}")
                if answer.cache == "hit":
                    disk.mark(f"{number} {digest}")
                    break
                time.sleep(0.005)  # Its publication is on its way.

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if violations:
        raise violations[0]


class State:
    """One state that a power cut may have left, and archway on it."""

    def __init__(self, record, gateway, registry, images, honest, strict):
        self._record, self._gateway, self._registry = record, gateway, registry
        self._images, self._honest, self._strict = images, honest, strict

    def check(self, rng, cut, how, tally):
        said = self._record.make_state(rng, cut, how)
        if not self._record.repair_and_try(self._honest):
            tally["not mountable any more"] += 1
            return
        gateway = self._gateway
        with Mounted(self._record.state, gateway.directory.parent, self._record.file_system):
            try:
                self._on_it(said, tally)
            finally:
                gateway.close()
        tally["states"] += 1
        tally["kept objects found"] += len(said) if self._honest and self._strict else 0

    def _on_it(self, said, tally):
        gateway, files = self._gateway, checks.Files(self._gateway.directory)
        if self._honest and self._strict:
            files.check()
        self._registry.online = False
        gateway.spawn()
        if not gateway.wait_until_up():
            if self._honest:
                raise Violation(f"archway ended at its start:\n{gateway.log_end()}")
            tally["refused to start on what fsck left"] += 1
            return
        self._offline(said, tally)
        self._registry.online = True
        self._online(tally)
        gateway.must_run()
        if self._honest:
            checks.accounts(gateway)
            gateway.stop()
            files.check()

    def _offline(self, said, tally):
        """Without the upstream: whole answers are right, and what was said to be kept is there."""
        manifests = [self._images[int(number)] for number, what in said if what == "manifest"]
        blobs = [(self._images[int(number)], what) for number, what in said if what != "manifest"]
        if self._honest and self._strict:
            checks.serves(self._gateway, manifests, blobs)
            return
        for image in self._images:
            get_manifest(self._gateway.port, image)
            for digest in image.blobs:
                answer = get_blob(self._gateway.port, image, digest)
                tally["served without the upstream" if answer.whole else "not there any more"] += 1

    def _answered(self, ask):
        """The upstream was away: it is asked again when it has answered a probe, in a moment."""
        limit = time.monotonic() + 20
        while True:
            answer = ask()
            if answer.status != 504 or time.monotonic() > limit:
                return answer
            time.sleep(0.01)

    def _online(self, tally):
        """Everything can be had; what was found to be wrong is fetched again by whoever asks next."""
        for image, digest in [(image, None) for image in self._images] + blobs_of(self._images):
            for _ in range(3):
                if digest is None:
                    answer = self._answered(lambda: get_manifest(self._gateway.port, image))
                else:
                    answer = self._answered(lambda: get_blob(self._gateway.port, image, digest))
                if answer.whole:
                    break
                tally["answers that broke off because the file was wrong"] += 1
            else:
                if self._honest:
                    raise Violation(
                        f"cannot be had: {digest or 'the manifest'} of {image.repository}: "
                        f"{answer.status} {answer.data!r}\n{self._gateway.log_end()}"
                    )
                tally["not to be had on a damaged file system"] += 1
