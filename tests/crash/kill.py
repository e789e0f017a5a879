"""Load and SIGKILL at a random moment, again and again."""

import random
import shutil
import time

import checks
from gateway import Gateway, Violation
from images import blobs_of, make_images
from pull import Pullers
from registry import Registry

CYCLES_A_DIRECTORY = 10
CLIENTS = 8


def run(context, cycles):
    """`cycles` times: 8 clients, killed within 500 ms of the first answer, started again, checked."""
    rng = random.Random(context.seed)
    totals = {"whole": 0, "cut": 0, "kept": 0, "files": 0}
    answers, done, sent = [], 0, 0
    while done < cycles:
        batch = min(CYCLES_A_DIRECTORY, cycles - done)
        life = Life(context, rng, f"kill-{done}")
        try:
            for cycle in range(done, done + batch):
                context.at(f"cycle {cycle}")
                life.cycle(totals)
            life.end(totals)
        finally:
            life.close()
        answers += life.gateway.first_answers
        sent += life.registry.sent
        done += batch
        shutil.rmtree(life.gateway.directory)
    context.judge_starts("kill", answers, median_max=0.1)
    context.report(
        "kill",
        f"{cycles} cycles, {totals['whole']} whole answers all right, {totals['cut']} cut by the kill, "
        f"{totals['kept']} blobs and manifests known to be kept and all there, {totals['files']} files "
        f"all right; {sent >> 20} MiB from the upstream; {context.starts(answers)}",
    )


class Life:
    """One cache directory through some crashes."""

    def __init__(self, context, rng, name):
        self._rng = rng
        self._images = make_images(rng.randrange(1 << 30), 30)
        self.registry = Registry(self._images)
        self.gateway = Gateway(context.binary, context.work / name, self.registry.url)
        self._files = checks.Files(self.gateway.directory)
        self._manifests, self._kept = set(), set()
        self.gateway.start()

    def close(self):
        self.gateway.close()
        self.registry.close()

    def cycle(self, totals):
        pullers = Pullers(self.gateway, self._images, CLIENTS, self._rng.random())
        time.sleep(self._rng.uniform(0, 0.5))
        self.gateway.kill()
        pullers.stop()
        totals["whole"] += pullers.whole
        totals["cut"] += pullers.failed
        self._manifests |= pullers.manifests
        self._kept |= pullers.kept
        self._files.check()
        self.registry.online = False
        self.gateway.start()
        checks.no_index_given_up(self.gateway)
        self._serves_what_it_had(pullers.manifests, pullers.kept)
        self.registry.online = True

    def _serves_what_it_had(self, manifests, kept):
        words = checks.serves(self.gateway, manifests, kept)
        if set(words) - {"hit"}:
            raise Violation(f"not everything was a hit without the upstream: {sorted(set(words))}")

    def end(self, totals):
        """A stop in order, and everything that was ever kept; then everything there is, by the upstream."""
        self.gateway.stop()
        self.registry.online = False
        self.gateway.start()
        self._serves_what_it_had(self._manifests, self._kept)
        self.registry.online, self.registry.rate = True, 0
        checks.serves(self.gateway, self._images, blobs_of(self._images))
        checks.accounts(self.gateway)
        self.gateway.verify()
        self.gateway.stop()
        totals["kept"] += len(self._manifests) + len(self._kept)
        self._files.forget()
        totals["files"] += self._files.check()
