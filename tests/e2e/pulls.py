"""Many pulls through a small cache: pulls.py GATEWAY REGISTRY-PORT CACHE-DIRECTORY.

Is the registry (64 blobs of 4 MiB), the 8 clients that pull 1 GiB of them in random order, and the watcher
of the cache's file system. Prints what it saw as JSON; ends with 1 when a pull failed or was wrong.
"""

import hashlib
import http.client
import http.server
import json
import os
import random
import sys
import threading

BLOBS, SIZE, PULLS, CLIENTS = 64, 4 << 20, 256, 8

blobs = {}
for number in range(BLOBS):
    content = random.Random(number).randbytes(SIZE)
    blobs["sha256:" + hashlib.sha256(content).hexdigest()] = content


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def answer(self, body):
        content = blobs.get(self.path.rpartition("/")[2], b"") if "/blobs/" in self.path else b""
        self.send_response(200 if content or self.path == "/v2/" else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def do_GET(self):
        self.answer(True)

    def do_HEAD(self):
        self.answer(False)


def pull(gateway, digest):
    """The reason why it failed, or nothing."""
    connection = http.client.HTTPConnection(gateway, timeout=60)
    try:
        connection.request("GET", "/v2/library/many/blobs/" + digest)
        answer = connection.getresponse()
        got = hashlib.sha256()
        while piece := answer.read(1 << 18):
            got.update(piece)
        if answer.status != 200:
            return "status %d" % answer.status
        return None if "sha256:" + got.hexdigest() == digest else "wrong bytes"
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()


def main():
    gateway, port, directory = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Registry)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    order = [digest for digest in blobs for _ in range(PULLS // BLOBS)]
    random.Random(4).shuffle(order)
    failures, lock, done = [], threading.Lock(), threading.Event()
    least_free = [1 << 62]

    def client():
        while True:
            with lock:
                if not order:
                    return
                digest = order.pop()
            failure = pull(gateway, digest)
            if failure:
                failures.append(failure)

    def watch():
        while not done.wait(0.002):
            disk = os.statvfs(directory)
            least_free[0] = min(least_free[0], disk.f_bavail * disk.f_frsize)

    watcher = threading.Thread(target=watch)
    watcher.start()
    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    done.set()
    watcher.join()
    server.shutdown()
    print(json.dumps({"pulls": PULLS, "failures": failures[:9], "failed": len(failures), "least_free": least_free[0]}))
    return 1 if failures else 0


sys.exit(main())
