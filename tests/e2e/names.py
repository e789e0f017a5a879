"""A name server on loopback that does what a file says: names.py MODE-FILE.

The file holds one word: right, no-name, broken, silent, many, circle, none. It is read again at every question;
the questions go to standard output, one a line.
"""

import socket
import struct
import sys

A, CNAME = 1, 5


def name_of(packet):
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), at + 1


def record(kind, data):
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 1, len(data)) + data


def answer(packet, mode):
    """The answer to a question, or nothing."""
    name, end = name_of(packet)
    kind = struct.unpack(">H", packet[end:end + 2])[0]
    print(mode, kind, name, flush=True)
    code, records = {"no-name": 3, "broken": 2}.get(mode, 0), []
    if mode == "silent":
        return None
    if mode == "circle":
        records = [record(CNAME, b"\xc0\x0c")]
    elif kind == A and mode == "right":
        records = [record(A, bytes([127, 0, 0, 1]))]
    elif kind == A and mode == "many":
        # Too many for one datagram of the old size: the last one alone leads anywhere.
        records = [record(A, bytes([127, 0, 1, n])) for n in range(1, 25)] + [record(A, bytes([127, 0, 0, 1]))]
    head = packet[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0)
    return head + packet[12:end + 4] + b"".join(records)


def main():
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 53))
    print("listens", flush=True)
    while True:
        packet, client = listening.recvfrom(4096)
        with open(sys.argv[1], encoding="ascii") as mode:
            reply = answer(packet, mode.read().strip())
        if reply:
            listening.sendto(reply, client)


main()
