"""The cases of ./dev bench: what is measured, against whom, and what it has to reach."""

import hashlib
import json
import pathlib
import resource
import subprocess
import time

from images import INDEX, MANIFEST, MIB
from measure import Line, in_turn
from servers import fetch

ARM = ("--header", "Archway-Platform: linux/arm64")
OLD_DOCKER = ("--header", "User-Agent: docker/20.10.5 go/go1.13.15 kernel/5.10 os/linux arch/arm64 UpstreamClient(Docker)")


class Cases:
    """All cases share a stack, the images, and how long each is measured."""

    def __init__(self, stack, load, data, scale):
        self.stack, self.load, self.data, self.scale = stack, load, data, scale
        self.lines = []

    def compare(self, case, archway, other, measure, goals, against=None):
        """One line for each goal: {what is compared: goal}."""
        found = in_turn(self.scale.rounds, [archway, other], measure)
        for what, goal in goals.items():
            self.lines.append(Line(case, against or other.name.rpartition("-")[0], what, found[archway.name][what],
                                   found[other.name][what], goal))

    def loaded(self, *arguments, path, tls=False):
        return lambda server: self.load("--seconds", self.scale.seconds, *arguments, server.url(path, tls))

    def blobs(self, archway, nginx, registry):
        for size, path in self.data.blobs.items():
            for server in (archway, nginx, registry):
                for _ in range(3):  # docker-registry keeps what it brought a moment later.
                    self.load("--requests", 1, server.url(path))
            for clients in self.scale.clients:
                case = f"cached blob of {size >> 20} MiB, {clients} at once"
                plain = self.loaded("--clients", clients, "--cut", path=path)
                self.compare(case, archway, nginx, plain, {"GB/s": "≥ 1.00", "CPU s/GB": "≤ 0.95"})
                self.compare(case, archway, registry, plain, {"GB/s": "≥ 3", "CPU s/GB": "≤ 0.2"})
                over_tls = self.loaded("--clients", clients, "--cut", path=path, tls=True)
                self.compare(case + ", TLS 1.3", archway, nginx, over_tls, {"GB/s": "≥ 1.05", "CPU s/GB": "≤ 0.90"})

    def manifests(self, archway, nginx):
        goals = {"requests/s": "≥ 1.3", "CPU µs/request": "≤ 0.70", "p99 ms": "≤ 1.0"}
        for name, path, kind in (("tag", self.data.tag, INDEX), ("digest", self.data.child, MANIFEST)):
            for method in ("GET", "HEAD"):
                for clients in self.scale.few_and_many:
                    ask = self.loaded("--clients", clients, "--method", method, "--header", f"Accept: {kind}", path=path)
                    self.compare(f"manifest by {name}, {method}, {clients} at once", archway, nginx, ask, goals)

    def platforms(self, archway):
        """The same server twice: with and without a platform to resolve."""
        for name, header in (("the header", ARM), ("the User-Agent", OLD_DOCKER)):
            figures = {}
            for stated in (False, True) * self.scale.rounds:
                said = self.load("--seconds", self.scale.seconds, "--clients", 64, *(header if stated else ()),
                                 archway.url(self.data.tag))
                figures.setdefault(stated, []).append(said["requests"] / said["seconds"])
            ours, without = (sorted(figures[stated])[self.scale.rounds // 2] for stated in (True, False))
            self.lines.append(Line(f"manifest by tag for a platform by {name}, 64 at once", "archway without",
                                   "requests/s", ours, without, "≥ 0.95"))

    def connections(self, archway, nginx):
        for name, more, tls in (("", (), False), (", TLS resumed", ("--resume",), True)):
            ask = self.loaded("--clients", 8, "--new", *more, path=self.data.tag, tls=tls)
            self.compare(f"manifest by tag, a new connection each{name}", archway, nginx, ask,
                         {"requests/s": "≥ 1.00", "CPU µs/request": "≤ 1.00"})

    def cold(self):
        """Each with an empty cache, and a server that has just started."""
        stack, path, upstream = self.stack, self.data.cold, self.data.registry
        size = self.data.cold_size >> 20
        limited = stack.limited(upstream.url(), "40m")

        def once(start, clients):
            server = start()
            # Who asked once has its connections to the upstream; the blob is what is measured.
            fetch(server.url(self.data.tag), INDEX)
            found = self.load("--clients", clients, server.url(path))
            if server is not upstream and server is not limited:
                server.stop()
                stack.running.remove(server)
            return found

        def against(case, start, other, clients, rounds, goals):
            figures = {}
            for number in range(rounds):
                pair = (("ours", start), ("theirs", other))
                for who, begin in pair if number % 2 == 0 else reversed(pair):
                    found = once(begin, clients)
                    figures.setdefault(who, []).append((found["seconds"], found["first_byte"] * 1e3))
            middle = {who: [sorted(column)[rounds // 2] for column in zip(*rows)] for who, rows in figures.items()}
            for at, (name, what, goal) in enumerate(goals):
                if goal:
                    self.lines.append(Line(case, name, what, middle["ours"][at], middle["theirs"][at], goal))
            return middle

        rounds = self.scale.rounds
        middle = against(f"cold blob of {size} MiB, 40 MiB/s from the upstream", lambda: stack.archway(limited.url()),
                         lambda: limited, 1, max(1, rounds // 3), [("directly", "seconds", "≤ 1.02")])
        self.lines.append(Line("the same, first byte", "directly + 2 ms", "ms", middle["ours"][1],
                               middle["theirs"][1] + 2, "≤ 1"))
        against(f"cold blob of {size} MiB", lambda: stack.archway(upstream.url()),
                lambda: stack.nginx_cache(upstream.url()), 1, rounds, [("nginx proxy_cache", "seconds", "≤ 0.9")])
        gets = self.data.gets(path)
        against(f"cold blob of {size} MiB, 16 at once", lambda: stack.archway(upstream.url()), lambda: upstream, 16,
                rounds, [("directly", "seconds", "≤ 0.5")])
        ours = self.data.gets(path) - gets - 16 * rounds
        self.lines.append(Line("the same, upstream GETs of the blob", "one a pull", "GETs", ours, rounds, "≤ 1"))

    def memory(self):
        """Servers that have just started, as small as they are."""
        archway = self.stack.archway(self.data.registry.url())
        other = self.stack.nginx_static(self.data.tree)
        idle = archway.memory()
        self.lines.append(Line("memory, idle", "12 MiB", "MiB", idle / MIB, 12, "≤ 1"))
        path = self.data.blobs[max(self.data.blobs)]
        for server in (archway, other):
            self.load("--requests", 1, server.url(path))
        slow = self.scale.slow
        at_rest, most = archway.memory(), {}
        for server in (archway, other):
            clients = subprocess.Popen([self.load.binary, "--clients", str(slow), "--rate", "65536", "--seconds", "8",
                                        "--cut", server.url(path)], stdout=subprocess.DEVNULL)
            time.sleep(5)
            most[server] = server.memory()
            clients.wait()
        case = f"memory, {slow} slow downloads"
        self.lines.append(Line(case, "nginx", "MiB", most[archway] / MIB, most[other] / MIB, "≤ 1.00"))
        each = (most[archway] - at_rest) / slow / 1024
        self.lines.append(Line(case, "10 KiB each", "KiB each", max(each, 0), 10, "≤ 1"))
        many = min(self.scale.idle, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100)
        for server in (archway, other):
            held = self.load.hold("--clients", many, server.url(self.data.tag))
            most[server] = server.memory()
            held.communicate("")
        self.lines.append(Line(f"memory, {many} idle connections", "nginx", "MiB", most[archway] / MIB,
                               most[other] / MIB, "≤ 1.5"))

    def whole_pull(self, archway, registry):
        """skopeo copies a whole image that the server has, to a directory."""
        def pull(server):
            target = self.stack.directory / "pulled"
            begun = time.monotonic()
            subprocess.run(["skopeo", "copy", "-q", "--src-tls-verify=false", "--override-os", "linux",
                            "--override-arch", "amd64", f"docker://127.0.0.1:{server.port}/{self.data.image}",
                            f"dir:{target}"], check=True)
            took = time.monotonic() - begun
            subprocess.run(["rm", "-r", target], check=True)
            return {"requests": 1, "seconds": took, "bytes": 1, "p99": 0, "first_byte": 0}
        for server in (archway, registry) * 2:
            pull(server)
        self.compare(f"skopeo copy of {self.data.image_says}", archway, registry, pull, {"seconds": "≤ 1.0"})

    def full_cache(self, small):
        """A cache of very many blobs: how it starts, what its index takes, and that a hit costs no more."""
        count = self.scale.objects
        cache = self.stack.directory / "full"
        for number in range(count):
            piece = str(number).encode()
            digest = hashlib.sha256(piece).hexdigest()
            folder = cache / "blobs" / "sha256" / digest[:2]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / digest).write_bytes(piece)
        archway = self.stack.archway(self.data.registry.url(), cache=cache)
        archway.stop()
        subprocess.run([self.stack.archway_binary, "rebuild", "-c", archway.config], check=True, capture_output=True)
        begun = time.monotonic()
        archway.start([self.stack.archway_binary, "serve", "-c", str(archway.config)])
        fetch(archway.url("/v2/"))
        took = (time.monotonic() - begun) * 1e3
        status = json.loads(subprocess.run([self.stack.archway_binary, "status", "--json", "-c", archway.config],
                                           check=True, capture_output=True, text=True).stdout)
        if str(count) not in json.dumps(status):
            raise SystemExit(f"the cache does not have its {count} blobs: {status}")
        self.lines.append(Line(f"start with {count} cached blobs, first answer", "100 ms", "ms", took, 100, "≤ 1"))
        index = sum(file.stat().st_blocks * 512 for file in pathlib.Path(cache, "index").glob("data.mdb"))
        self.lines.append(Line("index, for each cached blob", "400 bytes", "bytes", index / count, 400, "≤ 1"))
        ask = self.loaded("--clients", 64, path=self.data.tag)
        for server in (archway, small):
            ask(server)
        self.compare(f"manifest by tag with {count} objects in the cache", archway, small, ask,
                     {"CPU µs/request": "≤ 1.10"}, "archway with few")
