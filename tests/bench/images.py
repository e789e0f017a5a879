"""The images that ./dev bench measures with, in a registry and as plain files at the same paths."""

import hashlib
import http.client
import json
import os
import urllib.parse

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PLATFORMS = ("amd64", "arm64", "ppc64le", "s390x")
MIB = 1 << 20


class Images:
    """Pushes what it makes to the registry at `url` and lays it under `tree`."""

    def __init__(self, url, tree):
        self.tree = tree
        place = urllib.parse.urlsplit(url)
        self.registry = http.client.HTTPConnection(place.hostname, place.port, timeout=300)

    def _call(self, method, path, body=None, headers=None, status=(200,)):
        self.registry.request(method, path, body=body, headers=headers or {})
        answer = self.registry.getresponse()
        said = answer.read()
        if answer.status not in status:
            raise SystemExit(f"the registry answered {method} {path} with {answer.status}: {said[:300]!r}")
        return answer

    def file_at(self, path):
        file = self.tree / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def blob(self, repository, pieces, size):
        """Pushes bytes that come piece by piece; gives their digest."""
        uploads = self._call("POST", f"/v2/{repository}/blobs/uploads/", headers={"Content-Length": "0"}, status=(202,))
        hashed = hashlib.sha256()
        new = self.file_at(f"/v2/{repository}/blobs/new")
        with open(new, "wb") as file:
            for piece in pieces:
                hashed.update(piece)
                file.write(piece)
        digest = "sha256:" + hashed.hexdigest()
        place = urllib.parse.urlsplit(uploads.getheader("Location"))
        target = f"{place.path}?{place.query}&digest={digest}"
        with open(new, "rb") as file:
            self._call("PUT", target, file, {"Content-Length": str(size), "Content-Type": "application/octet-stream"},
                       status=(201,))
        new.rename(new.parent / digest)
        return digest

    def layer(self, repository, size):
        digest = self.blob(repository, (os.urandom(min(MIB, size - at)) for at in range(0, size, MIB)), size)
        return {"mediaType": LAYER, "digest": digest, "size": size}

    def document(self, repository, document, tag=None):
        """Pushes a manifest or an index; gives its descriptor."""
        body = json.dumps(document, indent=2).encode()
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        for reference in filter(None, (digest, tag)):
            path = f"/v2/{repository}/manifests/{reference}"
            self._call("PUT", path, body, {"Content-Type": document["mediaType"]}, status=(201,))
            self.file_at(path).write_bytes(body)
        return {"mediaType": document["mediaType"], "digest": digest, "size": len(body)}

    def image(self, repository, architecture, sizes, tag=None):
        """Pushes one platform's image with layers of these sizes."""
        config = json.dumps({"architecture": architecture, "os": "linux", "config": {},
                             "rootfs": {"type": "layers", "diff_ids": []}}).encode()
        layers = [self.layer(repository, size) for size in sizes]
        document = {"schemaVersion": 2, "mediaType": MANIFEST,
                    "config": {"mediaType": CONFIG, "digest": self.blob(repository, [config], len(config)),
                               "size": len(config)}, "layers": layers}
        descriptor = self.document(repository, document, tag)
        descriptor["platform"] = {"architecture": architecture, "os": "linux"}
        return descriptor, layers

    def index(self, repository, tag):
        """Pushes an index of four platforms with ten small layers each; gives a child's digest."""
        children = [self.image(repository, one, [1000] * 10)[0] for one in PLATFORMS]
        self.document(repository, {"schemaVersion": 2, "mediaType": INDEX, "manifests": children}, tag)
        return children[0]["digest"]
