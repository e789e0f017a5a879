"""What must hold after every crash, whatever was going on."""

import hashlib
import re
import time

from gateway import Violation
from pull import get, get_blob, get_manifest


class Files:
    """Every file at a final name has the content that its name says.

    A file that was right is not hashed again while its inode, size and time stay: only the file
    system could have changed it, and `forget` is for when that is what is tested.
    """

    def __init__(self, directory):
        self._directory = directory
        self._right = {}

    def forget(self):
        self._right.clear()

    def check(self):
        """How many there are."""
        count = 0
        for path in (self._directory / "blobs").rglob("*"):
            if path.is_dir():
                continue
            if not re.fullmatch("[0-9a-f]{64}", path.name) or path.parent.name != path.name[:2]:
                raise Violation(f"a file that is no blob among the blobs: {path}")
            facts = path.lstat()
            key = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
            count += 1
            if self._right.get(path) == key:
                continue
            if hashlib.sha256(path.read_bytes()).hexdigest() != path.name:
                raise Violation(f"a damaged file at a final name: {path}")
            self._right[path] = key
        return count


def no_index_given_up(gateway):
    given_up = list((gateway.directory / "index").glob("index.bad-*"))
    if given_up:
        raise Violation(f"the index was given up: {given_up[0]}\n{gateway.log_end()}")


def accounts(gateway):
    """What /metrics says is what the files come to; commits that are on their way are waited for."""
    limit = time.monotonic() + 60
    while True:
        sizes = [path.stat().st_size for path in (gateway.directory / "blobs").rglob("*") if path.is_file()]
        told = metrics(gateway)
        said = told["archway_cache_bytes"], told['archway_cache_objects{kind="blob"}']
        if said == (sum(sizes), len(sizes)):
            return
        if time.monotonic() > limit:
            raise Violation(
                f"there are {sum(sizes)} bytes in {len(sizes)} blobs, and /metrics says "
                f"{said[0]:.0f} in {said[1]:.0f}\n{gateway.log_end()}"
            )
        time.sleep(0.005)


def metrics(gateway):
    """Name with labels -> value."""
    text = get(gateway.admin_port, "/metrics").data.decode()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def serves(gateway, manifests, blobs):
    """Each of these is served whole and right; returns the answers' Archway-Cache words."""
    words = []
    for image in manifests:
        for reference in ("latest", image.digest):
            answer = get_manifest(gateway.port, image, reference)
            if not answer.whole:
                raise Violation(
                    f"lost: the manifest of {image.repository} by {reference}: "
                    f"{answer.status} {answer.data!r}\n{gateway.log_end()}"
                )
            words.append(answer.cache)
    for image, digest in blobs:
        answer = get_blob(gateway.port, image, digest)
        if not answer.whole:
            raise Violation(
                f"lost: {digest} of {image.repository}: {answer.status} {answer.data!r}\n{gateway.log_end()}"
            )
        words.append(answer.cache)
    return words
