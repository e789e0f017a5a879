"""Asks archway for images at hosts that it does not know, in every spelling that somebody might read differently.

foreign_names.py HOST:PORT COUNT: prints how many connections it opened. Every answer has to be one of 400, 404, 414.
"""

import random
import socket
import sys

SEEDS = [
    "169.254.169.254", "127.0.0.1", "10.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "::1",
    "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "localhost.", "localhost", "localhost:5100", "user@evil.test",
    "user:pass@evil.test", "evil.test", "evil.test:443", "evil.test.", "xn--80ak6aa92e.com", "%6cocalhost",
    "metadata.google.internal", "docker.io.evil.test", "evil.test#docker.io", "docker.io@evil.test", "docker.io:5000",
    "docker.io.", "http://evil.test", "//evil.test", "evil.test/../docker.io", "a" * 63 + ".test", "a" * 2000 + ".test",
    "evil\u3002test", "\u0131nternal.test", "127.0.0.1:99999", "127.0.0.1:0", "127.0.0.1:-1", "evil.test?ns=docker.io",
]
LETTERS = "abcxyz0123456789.-_:@[]%/\\#?&=+~"


def mutated(rng):
    name = rng.choice(SEEDS)
    for _ in range(rng.randrange(3)):
        at = rng.randrange(len(name) + 1)
        kind = rng.randrange(3)
        if kind == 0:
            name = name[:at] + rng.choice(LETTERS) + name[at:]
        elif kind == 1:
            name = name[:at] + name[at + 1:]
        else:
            name = name[:at] + name[at:].upper()
    return name


def encoded(name, rng):
    out = ""
    for byte in name.encode():
        plain = chr(byte) in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:@[]/~"
        out += chr(byte) if plain and rng.random() < 0.97 else "%%%02X" % byte
    return out


def known(name):
    return name.lower().rstrip(".") in ("", "docker.io", "index.docker.io", "registry-1.docker.io")


class Asker:
    def __init__(self, place):
        host, port = place.rsplit(":", 1)
        self.place = (host, int(port))
        self.opened = 0
        self.connection = None

    def ask(self, target):
        """The status of the answer, and whether the connection stays."""
        if self.connection is None:
            self.connection = socket.create_connection(self.place, timeout=20)
            self.waiting = b""
            self.opened += 1
        self.connection.sendall(b"GET " + target.encode() + b" HTTP/1.1\r\nHost: mirror\r\n\r\n")
        while b"\r\n\r\n" not in self.waiting:
            self.receive()
        head, self.waiting = self.waiting.split(b"\r\n\r\n", 1)
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        while len(self.waiting) < length:
            self.receive()
        self.waiting = self.waiting[length:]
        if fields.get(b"connection") == b"close":
            self.connection.close()
            self.connection = None
        return int(head.split()[1])

    def receive(self):
        got = self.connection.recv(65536)
        if not got:
            raise SystemExit("the connection ended without an answer")
        self.waiting += got


def main():
    asker = Asker(sys.argv[1])
    rng = random.Random(20240229)
    asked = 0
    while asked < int(sys.argv[2]):
        name = mutated(rng)
        if known(name):
            continue
        if rng.random() < 0.5:
            target = "/v2/library/hi/manifests/1?ns=" + encoded(name, rng)
        elif "." in name or ":" in name:
            first = name.split("/")[0]
            if known(first) or not ("." in first or ":" in first):
                continue
            target = "/v2/" + encoded(first, rng).replace("/", "%2F") + "/library/hi/manifests/1"
        else:
            continue
        status = asker.ask(target)
        if status not in (400, 404, 414):
            raise SystemExit(f"{target}: status {status}")
        asked += 1
    print(asker.opened)


if __name__ == "__main__":
    main()
