"""The images that the crash tests pull: made up from a seed, the same bytes every time."""

import hashlib
import json
import math
import random

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def random_blob(rng, smallest, largest):
    """Sizes are as likely between 1 and 2 KiB as between 4 and 8 MiB."""
    return rng.randbytes(int(math.exp(rng.uniform(math.log(smallest), math.log(largest)))))


class Image:
    """One image under library/NAME:latest: its manifest, its config and its layers."""

    def __init__(self, name, layers):
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Labels": {"name": name}},
                "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
            }
        ).encode()
        self.repository = "library/" + name
        self.blobs = {digest_of(data): data for data in [config, *layers]}
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": self._descriptor(CONFIG, config),
                "layers": [self._descriptor(LAYER, layer) for layer in layers],
            }
        ).encode()
        self.digest = digest_of(self.manifest)

    @staticmethod
    def _descriptor(media_type, data):
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def make_images(seed, count, smallest=1 << 10, largest=8 << 20):
    """`count` images of two or three layers; every third shares its first layer with its neighbours."""
    rng = random.Random(seed)
    images, shared = [], b""
    for number in range(count):
        if number % 3 == 0:
            shared = random_blob(rng, smallest, largest)
        layers = [random_blob(rng, smallest, largest) for _ in range(rng.choice([1, 2]))]
        images.append(Image(f"i{seed}-{number}", [shared, *layers]))
    return images


def blobs_of(images):
    """(image, digest), …"""
    return [(image, digest) for image in images for digest in image.blobs]
