"""Clients of the crash tests: they hash what they get and remember what archway may not lose."""

import hashlib
import http.client
import random
import threading

from gateway import Violation
from images import MANIFEST

TIMEOUT = 120  # s without a byte: a client that waits longer says that archway hangs


class Answer:
    """What came back: `data` is None when the answer was cut, which is an honest way to fail."""

    def __init__(self, status, data, headers):
        self.status = status
        self.data = data
        self.cache = headers.get("Archway-Cache", "")
        self.digest = headers.get("Docker-Content-Digest", "")

    @property
    def whole(self):
        return self.status == 200 and self.data is not None


def get(port, target, headers=None):
    """One GET. A refused or cut connection is an answer with status 0; one that hangs is a violation."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", target, headers={"Accept": MANIFEST, **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        return Answer(answer.status, data, answer.headers)
    except TimeoutError:
        raise Violation(f"GET {target} hangs") from None
    except http.client.IncompleteRead:
        return Answer(200, None, {})
    except (OSError, http.client.HTTPException):
        return Answer(0, None, {})
    finally:
        connection.close()


def get_manifest(port, image, reference="latest"):
    """Whole answers are checked."""
    answer = get(port, f"/v2/{image.repository}/manifests/{reference}")
    if answer.whole and (answer.data != image.manifest or answer.digest != image.digest):
        raise Violation(f"wrong manifest for {image.repository}:{reference}: {answer.digest}")
    return answer


def get_blob(port, image, digest):
    """Whole answers are checked."""
    answer = get(port, f"/v2/{image.repository}/blobs/{digest}")
    if answer.whole and "sha256:" + hashlib.sha256(answer.data).hexdigest() != digest:
        raise Violation(f"wrong bytes as a whole answer for {digest} ({answer.cache})")
    return answer


class Pullers:
    """`count` clients at once over `images`, until told to stop.

    `failed` counts answers that were neither whole nor right; `kept` is what archway served as a
    hit: (image, digest) that it must have from then on.
    """

    def __init__(self, gateway, images, count, seed, ranges=True):
        self.kept = set()
        self.manifests = set()
        self.whole = 0
        self.failed = 0
        self.why = []
        self.violations = []
        self._gateway, self._images, self._ranges = gateway, images, ranges
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(f"{seed}/{number}"),), daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Waits for them; raises what they found wrong."""
        self._stop.set()
        for thread in self._threads:
            thread.join(TIMEOUT + 10)
            if thread.is_alive():
                raise Violation("a client hangs")
        if self.violations:
            raise self.violations[0]

    def _run(self, rng):
        try:
            while not self._stop.is_set():
                self._pull(rng.choice(self._images), rng)
        except Violation as violation:
            self.violations.append(violation)
        except Exception as error:  # a mistake of the test itself must not pass for silence
            self.violations.append(Violation(f"the client itself failed: {error!r}"))

    def _pull(self, image, rng):
        answer = get_manifest(self._gateway.port, image)
        self._count(answer)
        if not answer.whole:
            self._stop.wait(0.02)  # whoever was just killed is not asked in a tight loop
            return
        with self._lock:
            self.manifests.add(image)
        for digest in rng.sample(list(image.blobs), len(image.blobs)):
            if self._stop.is_set():
                return
            if self._ranges and rng.random() < 0.15:
                self._get_range(image, digest, rng)
                continue
            answer = get_blob(self._gateway.port, image, digest)
            self._count(answer)
            if answer.whole and answer.cache == "hit":
                with self._lock:
                    self.kept.add((image, digest))

    def _get_range(self, image, digest, rng):
        data = image.blobs[digest]
        first = rng.randrange(len(data))
        last = rng.randrange(first, len(data))
        target = f"/v2/{image.repository}/blobs/{digest}"
        answer = get(self._gateway.port, target, {"Range": f"bytes={first}-{last}"})
        if answer.status == 206 and answer.data is not None and answer.data != data[first : last + 1]:
            raise Violation(f"wrong bytes for {first}-{last} of {digest}")

    def _count(self, answer):
        with self._lock:
            if answer.whole:
                self.whole += 1
            else:
                self.failed += 1
                self.why.append(f"{answer.status} {(answer.data or b'')[:200]!r}")
