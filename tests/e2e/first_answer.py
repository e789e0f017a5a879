"""Starts a server several times and prints the milliseconds from exec to its first answer, the best of all.

    first_answer.py TIMES HOST:PORT COMMAND…

The best, because other work on the machine can only make a start longer.
"""

import socket
import subprocess
import sys
import time


def answer(host, port):
    """True when GET /v2/ is answered with 200; False while nobody listens."""
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def first_answer(host, port, command):
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while not answer(host, port):
                if server.poll() is not None:
                    sys.exit(f"{command[0]} ended with status {server.returncode}")
                if time.monotonic() - began > 20:
                    sys.exit("no answer within 20 s")
                time.sleep(0.001)
            return round((time.monotonic() - began) * 1000)
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


host, _, port = sys.argv[2].rpartition(":")
print(min(first_answer(host, int(port), sys.argv[3:]) for _ in range(int(sys.argv[1]))))
