#!/usr/bin/env python3
"""Measures archway against nginx, docker-registry and the upstream itself, in turn, and prints what it reaches.

usage: compare.py ARCHWAY LOAD_CLIENT quick|full|check [--write FILE | --only STEP]…

Every figure is the median of interleaved runs on one machine, over loopback: only the ratios mean anything. `check` runs
each kind of measurement once, briefly, and judges nothing. --write puts the table into a Markdown file, between the lines
`<!-- bench -->` and `<!-- /bench -->`.
"""

import argparse
import dataclasses
import datetime
import os
import pathlib
import platform
import re
import subprocess
import tempfile

from cases import Cases
from images import MIB, Images
from measure import Load, table
from servers import Stack, fetch


@dataclasses.dataclass
class Scale:
    rounds: int
    seconds: float
    sizes: tuple
    clients: tuple
    few_and_many: tuple
    cold: int
    slow: int
    idle: int
    layer: int
    objects: int


SCALES = {
    "check": Scale(1, 0.2, (2 * MIB,), (2,), (2,), 2 * MIB, 5, 20, MIB // 4, 50),
    "quick": Scale(3, 1, (64 * MIB,), (1, 8, 64), (1, 64), 256 * MIB, 1000, 10_000, 30 * MIB, 10_000),
    "full": Scale(7, 2, (64 * MIB, 1024 * MIB), (1, 8, 64), (1, 64), 256 * MIB, 1000, 10_000, 30 * MIB, 100_000),
}


class Data:
    """What there is to pull, by path."""

    def __init__(self, stack, scale):
        self.tree = stack.directory / "tree"
        self.registry = stack.registry()
        images = Images(self.registry.url(), self.tree)
        images.file_at("/v2/index.html").write_text("{}")
        self.tag = "/v2/library/app/manifests/1"
        self.child = "/v2/library/app/manifests/" + images.index("library/app", "1")
        self.blobs = {}
        for size in scale.sizes:
            self.blobs[size] = self._path(images, size)
        self.cold_size = scale.cold
        self.cold = self._path(images, scale.cold)
        images.image("library/ten", "amd64", [scale.layer] * 10, "1")
        self.image, self.image_says = "library/ten:1", f"ten layers of {scale.layer / MIB:g} MiB"

    @staticmethod
    def _path(images, size):
        _, layers = images.image("library/big", "amd64", [size])
        return "/v2/library/big/blobs/" + layers[0]["digest"]

    def gets(self, path):
        """How often the registry was asked for it so far."""
        return len(re.findall(rf'"GET {re.escape(path)}[ ?]', self.registry.output()))


def measure(stack, load, scale, only, progress):
    data = Data(stack, scale)
    cases = Cases(stack, load, data, scale)
    archway = stack.archway(data.registry.url())
    nginx = stack.nginx_static(data.tree)
    through = stack.registry(data.registry.url())
    for server in (archway, nginx):
        for path in (data.tag, data.child):
            fetch(server.url(path), "*/*")
    steps = {"blobs": lambda: cases.blobs(archway, nginx, through), "manifests": lambda: cases.manifests(archway, nginx),
             "platforms": lambda: cases.platforms(archway), "connections": lambda: cases.connections(archway, nginx),
             "cold": cases.cold, "memory": cases.memory,
             "whole pull": lambda: cases.whole_pull(archway, through), "full cache": lambda: cases.full_cache(archway)}
    for name, step in steps.items():
        if only and name not in only:
            continue
        before = len(cases.lines)
        step()
        progress(name, cases.lines[before:])
    return cases.lines


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def about(binary, kind):
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return (f"{today}, {kind} run; {os.cpu_count()} cores of {model.group(1) if model else platform.machine()}, "
            f"Linux {platform.release()}; {first_line(binary, 'version')}, {first_line('/usr/sbin/nginx', '-v')}, "
            f"{first_line('docker-registry', '--version')}.\n")


def write(file, text):
    before = pathlib.Path(file).read_text()
    after, count = re.subn(r"(?s)(<!-- bench -->\n).*(<!-- /bench -->)", lambda at: at[1] + text + at[2], before)
    if count != 1:
        raise SystemExit(f"{file} has no place for the table")
    pathlib.Path(file).write_text(after)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archway")
    parser.add_argument("load_client")
    parser.add_argument("kind", choices=SCALES)
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--only", metavar="STEP", action="append", help="blobs, manifests, platforms, …; not for --write")
    arguments = parser.parse_args()
    judged = arguments.kind != "check"
    if arguments.write and arguments.only:
        parser.error("a table that is written down is a whole one")

    def progress(name, lines):
        print(f"\n{name}\n\n{table(lines)}" if judged else f"{name}: {len(lines)} figures", flush=True)

    with tempfile.TemporaryDirectory(prefix="archway-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as directory:
        with Stack(pathlib.Path(directory), arguments.archway) as stack:
            lines = measure(stack, Load(arguments.load_client), SCALES[arguments.kind], arguments.only, progress)
    if judged:
        print(f"{sum(line.met for line in lines)} of {len(lines)} goals are met.")
    if arguments.write:
        write(arguments.write, about(arguments.archway, arguments.kind) + "\n" + table(lines))


if __name__ == "__main__":
    main()
