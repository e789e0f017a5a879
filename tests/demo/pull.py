#!/usr/bin/env python3
"""Pulls the demo's image through archway as many kinds of clients do, first cold, then warm.

Prints a table and checks it: every digest, the platform that each client ends up with, what archway
says about it, and that a warm pull takes nothing from the upstream. Ends with 1 if anything is wrong.
The bytes from the upstream are those of the upstream's own access log.
"""

import argparse
import collections
import dataclasses
import hashlib
import http.client
import json
import os
import pathlib
import re
import sys
import time

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
# As the clients write them: dockerd and podman a line for each type, containerd one line for all.
SIX_LINES = [DOCKER, DOCKER_INDEX, OCI_INDEX, "application/vnd.docker.distribution.manifest.v1+prettyjws",
             "application/json", OCI]
ONE_LINE = [", ".join([DOCKER, DOCKER_INDEX, OCI, OCI_INDEX, "*/*"])]
NO_INDEX = [DOCKER, OCI]


def dockerd(version, architecture):
    return f"docker/{version} go/go1.19.8 git-commit/5d6db84 kernel/6.1.0 os/linux arch/{architecture}"


@dataclasses.dataclass
class Client:
    """One kind of client on one platform, and how archway gets to know that platform."""
    who: str
    want: str             # the platform that it must end up with
    by: str               # what archway must answer in `Archway-Platform: …; by=`
    said: str             # the same for a person
    agent: str
    accept: list
    head_first: bool = True    # dockerd and containerd ask for the digest first, podman for the manifest
    keeps_connection: bool = True
    prefix: str = "/v2"        # of the path, up to the repository
    ns: str = ""               # containerd names the registry that it means
    header: dict = dataclasses.field(default_factory=dict)
    host: str = ""
    source: str = "127.0.0.1"
    arm_port: bool = False     # pulls from the listener that is configured for arm/v7


def clients(arm_port):
    """The eleven platforms, and two clients that choose for themselves."""
    windows = [(2019, "10.0.17763.5936"), (2022, "10.0.20348.2527")]
    return [
        Client("dockerd 28 on amd64", "linux/amd64", "path", "path /platform/linux-amd64/v2/",
               dockerd("28.3.3", "amd64"), SIX_LINES, keeps_connection=False, prefix="/platform/linux-amd64/v2"),
        Client("podman on 386", "linux/386", "path", "path /v2/platform/linux-386/",
               "containers/5.23.1 (github.com/containers/image)", SIX_LINES, head_first=False,
               keeps_connection=False, prefix="/v2/platform/linux-386"),
        Client("dockerd 20.10 on arm/v5", "linux/arm/v5", "address", "address 127.0.5.1",
               dockerd("20.10.24+dfsg1", "arm"), SIX_LINES, keeps_connection=False, source="127.0.5.1"),
        Client("k3s on arm/v6", "linux/arm/v6", "address", "address 127.0.6.1", "containerd/v2.1.4", ONE_LINE,
               ns="docker.io", source="127.0.6.1"),
        Client("dockerd 20.10 on arm/v7", "linux/arm/v7", "listener", f"listener on port {arm_port}",
               dockerd("20.10.24+dfsg1", "arm"), SIX_LINES, keeps_connection=False, arm_port=True),
        Client("containerd on arm64", "linux/arm64/v8", "header", "header linux/arm64", "containerd/1.6.20~ds1",
               ONE_LINE, ns="docker.io", header={"Archway-Platform": "linux/arm64"}),
        Client("CRI-O on ppc64le", "linux/ppc64le", "host", "host ppc64le.mirror.test",
               "cri-o/1.36.0 go/go1.26.4 os/linux arch/ppc64le", SIX_LINES, head_first=False,
               host="ppc64le.mirror.test"),
        Client("an old dockerd on s390x", "linux/s390x", "user-agent", "User-Agent (it knows no index)",
               dockerd("1.9.1", "s390x"), NO_INDEX, head_first=False, keeps_connection=False),
        Client("BuildKit on riscv64", "linux/riscv64", "path", "path /v2/platform/linux-riscv64/", "buildkit/v0.23",
               ONE_LINE, prefix="/v2/platform/linux-riscv64", ns="docker.io", header={"Range": "bytes=0-"}),
        *[Client(f"containerd on Windows {year}", f"windows({version})/amd64", "header",
                 f"header windows({version[:10]}…)/amd64", "containerd/v2.1.4", ONE_LINE, ns="docker.io",
                 header={"Archway-Platform": f"windows({version})/amd64"}) for year, version in windows],
        Client("docker --platform arm64", "linux/arm64/v8", "", "the client (dockerd on amd64)",
               dockerd("28.3.3", "amd64"), SIX_LINES, keeps_connection=False),
        Client("podman as installed", "linux/amd64", "", "the client",
               "containers/5.23.1 (github.com/containers/image)", SIX_LINES, head_first=False,
               keeps_connection=False),
    ]


class Wrong(Exception):
    """What a client got is not what it must get."""


def name_of(platform):
    version = f"({platform['os.version']})" if platform.get("os.version") else ""
    variant = f"/{platform['variant']}" if platform.get("variant") else ""
    return f"{platform['os']}{version}/{platform['architecture']}{variant}"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Pull:
    """One pull of library/hi:1 by one client, verified step by step."""

    def __init__(self, client, port):
        self.client, self.port = client, port
        self.connection = None
        self.outcomes = {}        # object -> the cache outcome of the first answer about it
        self.missed = 0           # bytes that cannot have come from the cache
        self.by = ""

    def ask(self, method, path, accept=()):
        """One request as the client writes it; the whole answer."""
        client = self.client
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30,
                                                         source_address=(client.source, 0))
        target = client.prefix + path + (f"?ns={client.ns}" if client.ns else "")
        self.connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        self.connection.putheader("Host", f"{client.host or '127.0.0.1'}:{self.port}")
        self.connection.putheader("User-Agent", client.agent)
        for line in accept:
            self.connection.putheader("Accept", line)
        for name, value in client.header.items():
            self.connection.putheader(name, value)
        if not client.keeps_connection:
            self.connection.putheader("Connection", "close")
        self.connection.endheaders()
        answer = self.connection.getresponse()
        body = answer.read()
        if not client.keeps_connection:
            self.connection.close()
            self.connection = None
        if answer.status not in (200, 206):
            raise Wrong(f"{method} {target}: {answer.status} {body.decode(errors='replace').strip()}")
        return answer, body

    def note(self, digest, answer, body):
        outcome = answer.headers.get("Archway-Cache", "?")
        self.outcomes.setdefault(digest, outcome)
        if outcome == "miss":
            self.missed += len(body)

    def object(self, kind, digest, accept=()):
        """An object by its digest."""
        answer, body = self.ask("GET", f"/library/hi/{kind}/{digest}", accept)
        if digest_of(body) != digest:
            raise Wrong(f"asked for {digest}, got {digest_of(body)}")
        self.note(digest, answer, body)
        return answer, body

    def tag(self):
        """The manifest or index that the tag stands for, and its digest."""
        method = "HEAD" if self.client.head_first else "GET"
        first, body = self.ask(method, "/library/hi/manifests/1", self.client.accept)
        digest = first.headers["Docker-Content-Digest"]
        said = re.search(r"by=([\w-]+)", first.headers.get("Archway-Platform", ""))
        self.by = said[1] if said else ""
        self.note(digest, first, body)
        if not self.client.head_first:
            if digest_of(body) != digest:
                raise Wrong(f"the tag's answer says {digest} and is {digest_of(body)}")
            return digest, body
        answer, body = self.object("manifests", digest, self.client.accept)
        for name in ("Content-Type", "Docker-Content-Digest"):
            if first.headers[name] != answer.headers[name]:
                raise Wrong(f"HEAD and GET differ in {name}: {first.headers[name]} and {answer.headers[name]}")
        if int(first.headers["Content-Length"]) != len(body):
            raise Wrong(f"HEAD promises {first.headers['Content-Length']} bytes, GET has {len(body)}")
        return digest, body

    def run(self):
        """Everything that the client fetches; returns the manifest's digest and the config's platform."""
        if not self.client.ns:
            self.ask("GET", "/")
        digest, body = self.tag()
        document = json.loads(body)
        if "manifests" in document:
            if self.client.by:
                raise Wrong("got the whole index, though its platform is known")
            digest = next(entry["digest"] for entry in document["manifests"]
                          if name_of(entry["platform"]) == self.client.want)
            document = json.loads(self.object("manifests", digest, self.client.accept)[1])
        config = json.loads(self.object("blobs", document["config"]["digest"])[1])
        for layer in document["layers"]:
            _, body = self.object("blobs", layer["digest"])
            if len(body) != layer["size"]:
                raise Wrong(f"the layer {layer['digest']} has {len(body)} bytes instead of {layer['size']}")
        if self.connection:
            self.connection.close()
        return digest, name_of(config)

    def check(self, digest, platform, images):
        want = self.client.want
        if platform != want:
            raise Wrong(f"got {platform} instead of {want}")
        if digest != images["library/hi:1"]["platforms"][want]["digest"]:
            raise Wrong(f"{digest} is not what was pushed for {want}")
        if self.client.by and self.by.replace("_", "-") != self.client.by:
            raise Wrong(f"archway knows the platform by '{self.by}' instead of by {self.client.by}")


class UpstreamLog:
    """The upstream's own account of what it gave away."""

    LINE = re.compile(r'"(\w+) (\S+) HTTP[^"]*" (\d+) (\d+)')

    def __init__(self, path):
        self.path, self.position = pathlib.Path(path), 0
        self.fetched = collections.Counter()

    def read(self):
        """Bytes of the answers since the last call."""
        with self.path.open("rb") as log:
            log.seek(self.position)
            text = log.read()
        whole = text[:text.rfind(b"\n") + 1]
        self.position += len(whole)
        total = 0
        for method, target, status, size in self.LINE.findall(whole.decode()):
            total += int(size) if method == "GET" else 0
            if method == "GET" and status.startswith("2") and "sha256:" in target:
                self.fetched[target] += 1
        return total

    def read_at_least(self, expected):
        """The line of an answer may be written a moment after its last byte was read."""
        total, deadline = self.read(), time.monotonic() + 2
        while total < expected and time.monotonic() < deadline:
            time.sleep(0.005)
            total += self.read()
        return total


def in_words(count):
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.0f} KiB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MiB"


class Table:
    COLUMNS = [("who asked", 26), ("who said the platform", 33), ("what it got", 39), ("upstream", 8), ("cache", 14),
               ("time", 7)]
    RIGHT = {"upstream", "time"}

    def __init__(self):
        self.colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.colours else text

    def line(self, *cells, code=None):
        padded = [cell.rjust(width) if name in self.RIGHT else cell.ljust(width)
                  for cell, (name, width) in zip(cells, self.COLUMNS)]
        text = "  ".join(padded).rstrip()
        print(self.paint(code, text) if code else text, flush=True)

    def head(self, title):
        print(f"\n{self.paint('1', title)}\n")
        self.line(*[name for name, _ in self.COLUMNS], code="2")


def outcome_words(outcomes):
    counts = collections.Counter(outcomes.values())
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def pull_all(everyone, options, images, log, table, warm):
    """One round; returns how many rows are wrong and prints a line about the whole."""
    wrong, total, spent = 0, 0, 0.0
    for client in everyone:
        pull = Pull(client, options.arm_port if client.arm_port else options.port)
        started = time.monotonic()
        complaint = digest = platform = ""
        try:
            digest, platform = pull.run()
        except (Wrong, OSError, ValueError, KeyError, StopIteration, http.client.HTTPException) as problem:
            complaint = str(problem) or type(problem).__name__
        took = time.monotonic() - started
        taken = log.read_at_least(0 if warm else pull.missed)
        try:
            if not complaint:
                pull.check(digest, platform, images)
                if warm and (taken or set(pull.outcomes.values()) != {"hit"}):
                    raise Wrong(f"everything is in the cache, and {in_words(taken)} came from the upstream")
        except Wrong as problem:
            complaint = str(problem)
        table.line(client.who, client.said, f"{digest[7:15]} {platform}", in_words(taken) if taken else "0",
                   outcome_words(pull.outcomes), f"{took * 1000:.1f} ms",
                   code="31" if complaint else "32" if warm else None)
        if complaint:
            wrong += 1
            print(f"  WRONG: {complaint}", flush=True)
        total, spent = total + taken, spent + took
    print(f"\n{len(everyone)} pulls, {len(everyone) - wrong} right: {in_words(total)} from the upstream,"
          f" {spent * 1000:.0f} ms in all.")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True, help="of archway")
    parser.add_argument("--arm-port", type=int, required=True, help="archway's listener for linux/arm/v7")
    parser.add_argument("--images", required=True, metavar="FILE", help="the summary of make_images.py")
    parser.add_argument("--upstream-log", required=True, metavar="FILE", help="the registry's access log")
    options = parser.parse_args()

    images = json.loads(pathlib.Path(options.images).read_text())
    everyone, log, table = clients(options.arm_port), UpstreamLog(options.upstream_log), Table()
    table.head("Cold: nothing is in the cache, every client pulls library/hi:1")
    wrong = pull_all(everyone, options, images, log, table, warm=False)
    twice = [target for target, times in log.fetched.items() if times > 1]
    for target in twice:
        print(f"  WRONG: fetched {log.fetched[target]} times from the upstream: {target}")
    if not twice:
        print(f"The upstream gave away {len(log.fetched)} objects, each of them once.")
    table.head("Warm: the same pulls again")
    wrong += pull_all(everyone, options, images, log, table, warm=True)
    return 1 if wrong or twice else 0


if __name__ == "__main__":
    sys.exit(main())
