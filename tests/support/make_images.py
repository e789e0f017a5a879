#!/usr/bin/env python3
"""Builds the images that the tests and the demo pull, and pushes them to a registry on loopback.

The bytes are the same on every run, so digests can be compared between runs. A summary in JSON says
what was pushed:

    {"library/hi:1": {"media_type": …, "digest": …, "size": …,
                      "platforms": {"linux/arm/v7": {"digest": …, "size": …, "media_type": …,
                                    "config": {"digest": …, "size": …}, "layers": [{…}, {…}]}, …},
                      "attestations": [{"digest": …, "of": …}]}}

An image of one platform has the same form: its digest is then that of its only platform.

Kinds: hi            an OCI index of eleven platforms, two of them Windows builds   (library/hi:1)
       hi-docker     the same as a Docker schema 2 manifest list                    (library/hi-docker:1)
       attested      an index with linux/amd64, linux/arm64 and their attestations  (library/attested:1)
       single        one OCI manifest, linux/amd64                                  (library/single:1)
       single-docker one Docker schema 2 manifest, linux/amd64                      (library/single-docker:1)
       single-arm64  one OCI manifest, linux/arm64                                  (library/single-arm64:1)
       blob:SIZE     one linux/amd64 manifest whose layer has SIZE bytes (64MiB)    (library/blob:64MiB)

KIND=REPOSITORY:TAG pushes under another name.
"""

import argparse
import functools
import gzip
import hashlib
import http.client
import io
import json
import os
import pathlib
import platform as machine
import random
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse

CREATED = "2024-01-01T00:00:00Z"

OCI = {
    "index": "application/vnd.oci.image.index.v1+json",
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
    "plain": "application/vnd.oci.image.layer.v1.tar",
}
DOCKER = {
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "plain": "application/vnd.docker.image.rootfs.diff.tar",
}

# The order in which official images list theirs.
PLATFORMS = [
    {"architecture": "amd64", "os": "linux"},
    {"architecture": "arm", "os": "linux", "variant": "v5"},
    {"architecture": "arm", "os": "linux", "variant": "v6"},
    {"architecture": "arm", "os": "linux", "variant": "v7"},
    {"architecture": "arm64", "os": "linux", "variant": "v8"},
    {"architecture": "386", "os": "linux"},
    {"architecture": "ppc64le", "os": "linux"},
    {"architecture": "riscv64", "os": "linux"},
    {"architecture": "s390x", "os": "linux"},
    {"architecture": "amd64", "os": "windows", "os.version": "10.0.17763.5936"},
    {"architecture": "amd64", "os": "windows", "os.version": "10.0.20348.2527"},
]
AMD64, ARM64 = PLATFORMS[0], PLATFORMS[4]


def name_of(platform):
    """The platform in one word, e.g. linux/arm/v7 or windows(10.0.20348.2527)/amd64."""
    version = f"({platform['os.version']})" if "os.version" in platform else ""
    variant = f"/{platform['variant']}" if "variant" in platform else ""
    return f"{platform['os']}{version}/{platform['architecture']}{variant}"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def encoded(document):
    return json.dumps(document, indent=2).encode()


class Registry:
    """A registry's write side, over one kept connection."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url).netloc
        self.connection = http.client.HTTPConnection(self.address, timeout=120)

    def ask(self, method, target, want, body=None, headers=None):
        self.connection.request(method, target, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in want:
            sys.exit(f"{method} {target}: the registry answered {answer.status}: {text.decode(errors='replace')}")
        return answer

    def start_upload(self, repository):
        answer = self.ask("POST", f"/v2/{repository}/blobs/uploads/", [202], b"")
        return self.relative(answer.headers["Location"])

    @staticmethod
    def relative(location):
        parts = urllib.parse.urlsplit(location)
        return parts.path + ("?" + parts.query if parts.query else "")

    def blob(self, repository, data):
        """Pushes a blob that fits into memory, unless the registry has it; returns its descriptor."""
        digest = digest_of(data)
        if self.ask("HEAD", f"/v2/{repository}/blobs/{digest}", [200, 404]).status == 404:
            location = self.start_upload(repository)
            joint = "&" if "?" in location else "?"
            self.ask("PUT", f"{location}{joint}digest={digest}", [201], data,
                     {"Content-Type": "application/octet-stream"})
        return {"digest": digest, "size": len(data)}

    def blob_of_pieces(self, repository, pieces, size):
        """Pushes a blob of any size that is made while it is sent."""
        digest = hashlib.sha256()

        def hashed():
            for piece in pieces:
                digest.update(piece)
                yield piece

        answer = self.ask("PATCH", self.start_upload(repository), [202], hashed(),
                          {"Content-Type": "application/octet-stream", "Content-Length": str(size)})
        location = self.relative(answer.headers["Location"])
        name = "sha256:" + digest.hexdigest()
        joint = "&" if "?" in location else "?"
        self.ask("PUT", f"{location}{joint}digest={name}", [201], b"")
        return {"digest": name, "size": size}

    def manifest(self, repository, reference, media_type, data):
        self.ask("PUT", f"/v2/{repository}/manifests/{reference}", [201], data, {"Content-Type": media_type})
        return {"digest": digest_of(data), "size": len(data), "media_type": media_type}


@functools.cache
def noise(seed, size):
    """Bytes that do not compress, the same ones on every machine."""
    return random.Random(seed).randbytes(size)


@functools.cache
def native_program(text):
    """A static program for this machine that prints the text."""
    with tempfile.TemporaryDirectory() as directory:
        source = pathlib.Path(directory, "hi.c")
        source.write_text(f'#include <stdio.h>\nint main(void) {{ puts("{text}"); return 0; }}\n')
        subprocess.run(["gcc", "-static", "-Os", "-s", "-o", "hi", "hi.c"], check=True, cwd=directory)
        return pathlib.Path(directory, "hi").read_bytes()


@functools.cache
def arm64_program(text):
    """The same for arm64, on any machine: an ELF file with one segment whose code writes the text and exits."""
    message = (text + "\n").encode()
    code = struct.pack(
        "<8I",
        0xD2800020,  # mov x0, #1                  standard output
        0x10000001 | (28 >> 2) << 5,  # adr x1, message   28 bytes on
        0xD2800002 | len(message) << 5,  # mov x2, #length
        0xD2800808,  # mov x8, #64                 write
        0xD4000001,  # svc #0
        0xD2800000,  # mov x0, #0
        0xD2800BA8,  # mov x8, #93                 exit
        0xD4000001,  # svc #0
    )
    base, head = 0x400000, 64 + 56
    size = head + len(code) + len(message)
    header = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 2, 183, 1, base + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
    return header + segment + code + message


def program_for(platform, text):
    """A program where there can be one, else the text alone."""
    if is_this_machine(platform):
        return native_program(text)
    if platform["os"] == "linux" and platform["architecture"] == "arm64":
        return arm64_program(text)
    return (text + "\n").encode()


def is_this_machine(platform):
    native = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine.machine())
    return platform["os"] == "linux" and platform["architecture"] == native


def tar_entry(path, size):
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode, entry.mtime = size, 0o755, 0
    return entry


def tar_of(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, data in files.items():
            tar.addfile(tar_entry(path, len(data)), io.BytesIO(data))
    return out.getvalue()


@functools.cache
def base_layer():
    """What every platform shares: two files of which one does not compress."""
    return tar_of({"etc/hi-release": b"NAME=hi\nVERSION=1\n", "usr/share/hi/base": noise("base", 1 << 20)})


def platform_layer(platform, salt):
    """What one platform has alone: /hi, which runs where it should if it is this machine's or arm64's."""
    text = f"hi from {name_of(platform)}"
    program = program_for(platform, text)
    place, share = ("Files/hi.txt", "Files/share") if platform["os"] == "windows" else ("hi", "usr/share/hi/own")
    return tar_of({place: program, share: noise(text + salt, 256 << 10)})


def push_manifest(registry, repository, types, platform, layers, diff_ids):
    """The config and the manifest over layers that are pushed already."""
    config = {
        "created": CREATED, **platform,
        "config": {"Entrypoint": ["/hi"], "WorkingDir": "/",
                   "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": CREATED, "created_by": f"layer {n + 1}"} for n in range(len(diff_ids))],
    }
    config_descriptor = registry.blob(repository, encoded(config))
    manifest = encoded({
        "schemaVersion": 2, "mediaType": types["manifest"],
        "config": {"mediaType": types["config"], **config_descriptor}, "layers": layers,
    })
    pushed = registry.manifest(repository, digest_of(manifest), types["manifest"], manifest)
    return {**pushed, "config": config_descriptor, "layers": layers}


def push_image(registry, repository, types, platform, salt):
    layers, diff_ids = [], []
    for tar in (base_layer(), platform_layer(platform, salt)):
        packed = gzip.compress(tar, compresslevel=6, mtime=0)
        layers.append({"mediaType": types["layer"], **registry.blob(repository, packed)})
        diff_ids.append(digest_of(tar))
    return push_manifest(registry, repository, types, platform, layers, diff_ids)


def push_attestation(registry, repository, image):
    """What BuildKit adds beside an image: in the index, but no image of any platform."""
    statement = encoded({
        "_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": [{"name": "hi", "digest": {"sha256": image["digest"].removeprefix("sha256:")}}],
        "predicate": {"buildType": "https://mobyproject.org/buildkit@v1"},
    })
    layer = {"mediaType": "application/vnd.in-toto+json", **registry.blob(repository, statement),
             "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}}
    unknown = {"architecture": "unknown", "os": "unknown"}
    return push_manifest(registry, repository, OCI, unknown, [layer], [layer["digest"]])


def push_index(registry, repository, tag, types, platforms, salt, attested=False):
    entries, children, attestations = [], {}, []
    for platform in platforms:
        child = push_image(registry, repository, types, platform, salt)
        children[name_of(platform)] = child
        entries.append({"mediaType": types["manifest"], "digest": child["digest"], "size": child["size"],
                        "platform": platform})
    for child in children.values() if attested else []:
        attestation = push_attestation(registry, repository, child)
        attestations.append({**attestation, "of": child["digest"]})
        entries.append({
            "mediaType": types["manifest"], "digest": attestation["digest"], "size": attestation["size"],
            "annotations": {"vnd.docker.reference.digest": child["digest"],
                            "vnd.docker.reference.type": "attestation-manifest"},
            "platform": {"architecture": "unknown", "os": "unknown"},
        })
    index = encoded({"schemaVersion": 2, "mediaType": types["index"], "manifests": entries})
    pushed = registry.manifest(repository, tag, types["index"], index)
    return {**pushed, "platforms": children, "attestations": attestations}


def tag_single(registry, repository, tag, platform, image):
    """Gives an image that is there by digest a tag as well."""
    registry.connection.request("GET", f"/v2/{repository}/manifests/{image['digest']}",
                                headers={"Accept": image["media_type"]})
    registry.manifest(repository, tag, image["media_type"], registry.connection.getresponse().read())
    return {key: image[key] for key in ("digest", "size", "media_type")} | {
        "platforms": {name_of(platform): image}, "attestations": []}


def push_single(registry, repository, tag, types, platform, salt):
    return tag_single(registry, repository, tag, platform, push_image(registry, repository, types, platform, salt))


def bytes_in(text):
    match = re.fullmatch(r"(\d+)(B|KiB|MiB|GiB)", text)
    if not match:
        sys.exit(f"blob:{text}: a size is a number and B, KiB, MiB or GiB")
    size = int(match[1]) << {"B": 0, "KiB": 10, "MiB": 20, "GiB": 30}[match[2]]
    if size % 512 or size < 4096:
        sys.exit(f"blob:{text}: a layer is a tar file: a multiple of 512 bytes, 4096 at least")
    return size


def tar_pieces(seed, size):
    """A tar file of exactly this size, holding one file; made as it is read."""
    held = size - 3 * 512  # one header, two empty blocks at the end
    yield tar_entry("data", held).tobuf(tarfile.GNU_FORMAT)
    source, piece = random.Random(seed), 1 << 20
    for start in range(0, held, piece):
        yield source.randbytes(min(piece, held - start))
    yield bytes(2 * 512)


def push_blob(registry, repository, tag, size, salt):
    descriptor = registry.blob_of_pieces(repository, tar_pieces(f"blob {size}{salt}", size), size)
    layer = {"mediaType": OCI["plain"], **descriptor}
    image = push_manifest(registry, repository, OCI, AMD64, [layer], [layer["digest"]])
    return tag_single(registry, repository, tag, AMD64, image)


KINDS = {
    "hi": lambda r, name, tag, salt: push_index(r, name, tag, OCI, PLATFORMS, salt),
    "hi-docker": lambda r, name, tag, salt: push_index(r, name, tag, DOCKER, PLATFORMS, salt),
    "attested": lambda r, name, tag, salt: push_index(r, name, tag, OCI, [AMD64, ARM64], salt, attested=True),
    "single": lambda r, name, tag, salt: push_single(r, name, tag, OCI, AMD64, salt),
    "single-docker": lambda r, name, tag, salt: push_single(r, name, tag, DOCKER, AMD64, salt),
    "single-arm64": lambda r, name, tag, salt: push_single(r, name, tag, OCI, ARM64, salt),
}


def push(registry, wish, salt):
    """Pushes one KIND or KIND=REPOSITORY:TAG; returns its name and its part of the summary."""
    kind, _, name = wish.partition("=")
    kind, _, size = kind.partition(":")
    if (kind == "blob") != bool(size) or (kind != "blob" and kind not in KINDS):
        sys.exit(f"{wish}: the kinds are {', '.join(KINDS)} and blob:SIZE")
    repository, _, tag = (name or f"library/{kind}:{size or 1}").rpartition(":")
    if kind == "blob":
        return f"{repository}:{tag}", push_blob(registry, repository, tag, bytes_in(size), salt)
    return f"{repository}:{tag}", KINDS[kind](registry, repository, tag, salt)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--registry", required=True, metavar="URL", help="e.g. http://127.0.0.1:5000")
    parser.add_argument("--summary", metavar="FILE", help="where the JSON goes; default: standard output")
    parser.add_argument("--salt", default="", help="any text: other text, other layers, other digests")
    parser.add_argument("image", nargs="+", help="KIND or KIND=REPOSITORY:TAG")
    options = parser.parse_args()

    registry = Registry(options.registry)
    text = json.dumps(dict(push(registry, wish, options.salt) for wish in options.image), indent=2) + "\n"
    if options.summary:
        temporary = options.summary + ".part"
        pathlib.Path(temporary).write_text(text)
        os.replace(temporary, options.summary)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
