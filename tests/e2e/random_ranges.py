"""Asks for random parts of a blob, eight at a time: random_ranges.py URL FILE COUNT.

FILE holds the right bytes. Parts lie inside, at the end (suffix) and beyond it; each answer's status, Content-Range
and bytes are checked. Prints how many were right; the exit status is 1 unless all were.
"""

import http.client
import random
import sys
import urllib.parse
from concurrent.futures import ThreadPoolExecutor


def question(chance, size):
    kind = chance.randrange(5)
    if kind == 0:
        count = chance.randint(1, 300_000)
        return f"bytes=-{count}", size - count, size - 1
    if kind == 1:
        first = size + chance.randrange(1000)
        return f"bytes={first}-", None, None
    first = chance.randrange(size)
    last = first + chance.randrange(300_000)
    return f"bytes={first}-{last}", first, min(last, size - 1)


def is_right(url, blob, asked):
    text, first, last = asked
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=100)
    try:
        connection.request("GET", url.path, headers={"Range": text})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    got = (answer.status, answer.headers["Content-Range"])
    if first is None:
        right = got == (416, f"bytes */{len(blob)}")
    else:
        right = got == (206, f"bytes {first}-{last}/{len(blob)}") and body == blob[first : last + 1]
    if not right:
        print(f"{text}: {got}, {len(body)} bytes", file=sys.stderr)
    return right


def main():
    url, count = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[3])
    with open(sys.argv[2], "rb") as file:
        blob = file.read()
    chance = random.Random(4)
    questions = [question(chance, len(blob)) for _ in range(count)]
    with ThreadPoolExecutor(8) as pool:
        right = sum(pool.map(lambda asked: is_right(url, blob, asked), questions))
    print(right)
    sys.exit(right != count)


main()
