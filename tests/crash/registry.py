"""The upstream of the crash tests: a registry on a loopback port that the kernel chose."""

import collections
import http.server
import re
import socket
import threading
import time

from images import MANIFEST

PIECE = 64 << 10


class Registry:
    """Serves `images`, each connection at `rate` bytes a second.

    While `online` is false it hangs up on everybody without a word, as a dead uplink does. `sent`
    counts the body bytes of blobs, `asked` the GETs of a blob.
    """

    def __init__(self, images=(), rate=20 << 20):
        self.rate = rate
        self.online = True
        self.asked = collections.Counter()
        self.sent = 0
        self._lock = threading.Lock()
        self._manifests, self._blobs = {}, {}
        self.serve(images)
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.registry = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def serve(self, images):
        for image in images:
            self._manifests[image.repository, "latest"] = image
            self._manifests[image.repository, image.digest] = image
            self._blobs.update(image.blobs)

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self._server.server_address[1]

    def close(self):
        self.online = False
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def manifest(self, repository, reference):
        return self._manifests.get((repository, reference))

    def blob(self, digest):
        return self._blobs.get(digest)

    def count(self, digest):
        with self._lock:
            self.asked[digest] += 1

    def count_bytes(self, count):
        with self._lock:
            self.sent += count


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """The other side is killed again and again: its broken connections are no news."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format, *args):
        pass

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, body):
        registry = self.server.registry
        if not registry.online:
            self.close_connection = True
            return
        target = self.path.split("?")[0]
        if target == "/v2/":
            self._send(200, b"{}", "application/json", body)
            return
        found = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([^/]+)", target)
        if found and found[2] == "manifests" and registry.manifest(found[1], found[3]):
            image = registry.manifest(found[1], found[3])
            self._send(200, image.manifest, MANIFEST, body, image.digest)
        elif found and registry.blob(found[3]) is not None:
            if body:
                registry.count(found[3])
            self._send_blob(registry.blob(found[3]), found[3], body)
        else:
            self._send(404, b'{"errors":[{"code":"NAME_UNKNOWN"}]}', "application/json", body)

    def _send_blob(self, data, digest, body):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted:
            self._send(200, data, "application/octet-stream", body, digest)
            return
        first, last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
        if first > last:
            self._send(416, b"", "text/plain", body)
            return
        part = data[first : last + 1]
        total = f"bytes {first}-{last}/{len(data)}"
        self._send(206, part, "application/octet-stream", body, digest, total)

    def _send(self, status, data, media_type, body, digest=None, content_range=None):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        if digest:
            self.send_header("Docker-Content-Digest", digest)
            self.send_header("ETag", f'"{digest}"')
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        if body:
            self._send_slowly(data, counted=media_type == "application/octet-stream")

    def _send_slowly(self, data, counted):
        registry, began = self.server.registry, time.monotonic()
        for at in range(0, len(data), PIECE):
            if not registry.online:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.wfile.write(data[at : at + PIECE])
            if counted:
                registry.count_bytes(min(PIECE, len(data) - at))
            if not registry.rate:
                continue
            early = began + (at + PIECE) / registry.rate - time.monotonic()
            if early > 0 and at + PIECE < len(data):
                time.sleep(early)
