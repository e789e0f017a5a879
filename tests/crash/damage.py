"""Ways to ruin an index's file, from a single bit to something that is no file at all."""

import os
import shutil
import struct

PAGE = 4096


def flip_bits(path, rng, count):
    data = bytearray(path.read_bytes())
    for _ in range(count):
        bit = rng.randrange(len(data) * 8)
        data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def overwrite(path, rng, content, pages):
    """`pages` of them get what `content` makes of the whole file and a page's place."""
    data = bytearray(path.read_bytes())
    for at in rng.sample(range(len(data) // PAGE), min(pages, len(data) // PAGE)):
        data[at * PAGE : (at + 1) * PAGE] = content(data, at)
    path.write_bytes(data)


def zero_pages(path, rng):
    overwrite(path, rng, lambda data, at: bytes(PAGE), rng.choice([1, 1, 2, 4]))


def misplace_pages(path, rng):
    def other(data, at):
        page = rng.randrange(len(data) // PAGE)
        return data[page * PAGE : (page + 1) * PAGE]

    overwrite(path, rng, other, rng.choice([1, 1, 2]))


def scribble(path, rng):
    """512 bytes of something else: a sector that came back wrong."""
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data) // 512) * 512
    data[at : at + 512] = rng.randbytes(512)
    path.write_bytes(data)


def ruin_head(path, rng):
    """The two pages that say where everything is."""
    data = bytearray(path.read_bytes())
    page = rng.choice([0, PAGE])
    for _ in range(rng.choice([1, 4, 16])):
        data[page + rng.randrange(200)] = rng.randrange(256)
    path.write_bytes(data)


def truncate(path, rng):
    size = path.stat().st_size
    os.truncate(path, rng.choice([rng.randrange(size), rng.randrange(size // PAGE) * PAGE, 1, PAGE]))


def empty(path, rng):
    os.truncate(path, 0)


def append(path, rng):
    with open(path, "ab") as file:
        file.write(rng.randbytes(rng.randrange(1, 3 * PAGE)))


def garbage(path, rng):
    path.write_bytes(rng.randbytes(rng.choice([1, 511, PAGE, path.stat().st_size])))


def other_program(path, rng):
    path.write_bytes(b"SQLite format 3\0" + bytes(path.stat().st_size))


def other_word_size(path, rng):
    """The head as a 32-bit machine writes it: page numbers of four bytes."""
    data = bytearray(path.read_bytes())
    for page in (0, PAGE):
        number, rest = struct.unpack_from("<Q8s", data, page)
        head = struct.pack("<I", number) + rest + bytes(data[page + 16 : page + 200])
        data[page : page + len(head)] = head
    path.write_bytes(data)


def other_format_number(path, rng):
    data = bytearray(path.read_bytes())
    for page in (0, PAGE):
        struct.pack_into("<I", data, page + 20, rng.choice([0, 2, 999]))
    path.write_bytes(data)


def gone(path, rng):
    path.unlink()


def directory(path, rng):
    path.unlink()
    path.mkdir()
    if rng.random() < 0.5:
        (path / "something").write_text("else")


def link(path, rng):
    path.unlink()
    path.symlink_to(rng.choice(["nowhere", path.name, "/dev/zero", "/etc/passwd"]))


def fifo(path, rng):
    path.unlink()
    os.mkfifo(path)


WAYS = {
    "a bit flipped": lambda path, rng: flip_bits(path, rng, 1),
    "some bits flipped": lambda path, rng: flip_bits(path, rng, rng.randrange(2, 200)),
    "pages zeroed": zero_pages,
    "pages in the wrong place": misplace_pages,
    "a sector scribbled over": scribble,
    "the head ruined": ruin_head,
    "truncated": truncate,
    "empty": empty,
    "garbage at the end": append,
    "garbage alone": garbage,
    "another program's file": other_program,
    "another word size": other_word_size,
    "another format number": other_format_number,
    "gone": gone,
    "a directory": directory,
    "a link": link,
    "a FIFO": fifo,
}


def remove(path):
    """Whatever it is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
