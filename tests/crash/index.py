"""The index destroyed in every way, and everything is served all the same."""

import collections
import random
import shutil

import checks
import damage
from gateway import Gateway, Violation
from images import blobs_of, make_images
from registry import Registry

IMAGES = 40


def run(context, cycles):
    """`cycles` times: data.mdb ruined, sometimes its snapshot too, started, everything pulled."""
    rng = random.Random(context.seed)
    images = make_images(context.seed, IMAGES, largest=256 << 10)
    registry = Registry(images, rate=0)
    gateway = Gateway(context.binary, context.work / "index", registry.url)
    try:
        fill(gateway, images)
        index, kept = gateway.directory / "index", context.work / "kept"
        shutil.copytree(index, kept)
        if not (kept / "snapshot.mdb").is_file():
            raise Violation("a stop in order left no snapshot of the index")
        gateway.first_answers.clear()
        fate = collections.Counter()
        for cycle in range(cycles):
            way = list(damage.WAYS)[cycle % len(damage.WAYS)]
            context.at(f"cycle {cycle}: {way}")
            shutil.rmtree(index)
            shutil.copytree(kept, index)
            damage.WAYS[way](index / "data.mdb", rng)
            snapshot = rng.random() < 0.75
            if not snapshot:
                damage.WAYS[rng.choice(list(damage.WAYS))](index / "snapshot.mdb", rng)
            fate[start_and_pull(gateway, registry, images, snapshot)] += 1
            gateway.must_run()
            gateway.stop() if rng.random() < 0.3 else gateway.kill()
        checks.Files(gateway.directory).check()
    finally:
        gateway.close()
        registry.close()
    context.judge_starts("index", gateway.first_answers)
    context.report(
        "index",
        f"{cycles} indexes ruined in {len(damage.WAYS)} ways, every blob served each time without being "
        f"fetched: {', '.join(f'{count} {what}' for what, count in fate.most_common())}; "
        f"{context.starts(gateway.first_answers)}",
    )


def fill(gateway, images):
    """Everything is kept, and the index was closed in order."""
    gateway.start()
    checks.serves(gateway, images, blobs_of(images))
    gateway.stop()


def start_and_pull(gateway, registry, images, snapshot):
    """With a snapshot there is no upstream; without one it may be asked, but for no blob's bytes.

    What became of the index, in the words of the log.
    """
    registry.online = not snapshot
    registry.asked.clear()
    gateway.start()
    checks.serves(gateway, images, blobs_of(images))
    checks.accounts(gateway)
    if registry.asked:
        raise Violation(f"{len(registry.asked)} blobs were fetched again\n{gateway.log_end()}")
    aside = gateway.events("unusable index set aside")
    if aside:
        return "replaced by " + aside[0]["instead"]
    if gateway.events("there was no index; its last snapshot is used"):
        return "gone, replaced by its last snapshot"
    return "kept"
