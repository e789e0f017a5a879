"""Measuring in turn, and judging what was measured by ratios of medians."""

import dataclasses
import json
import statistics
import subprocess


class Load:
    """The load client."""

    def __init__(self, binary):
        self.binary = binary

    def __call__(self, *arguments):
        command = [self.binary, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if not done.stdout:
            raise SystemExit(f"{' '.join(command)}: {done.stderr}")
        said = json.loads(done.stdout)
        if said["errors"]:
            raise SystemExit(f"{' '.join(command)}: {said['errors']} errors, the first: {said['first_error']}")
        return said

    def hold(self, *arguments):
        """Clients that keep their connections until the process's input is closed."""
        process = subprocess.Popen([self.binary, "--hold", *map(str, arguments)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        if process.stdout.readline().strip() != "held":
            raise SystemExit("the load client could not open its connections")
        return process


@dataclasses.dataclass
class Line:
    """One line of the table: what archway needs, what the other needs, and how much of it is allowed."""

    case: str
    against: str
    what: str
    ours: float
    theirs: float
    goal: str

    @property
    def ratio(self):
        return self.ours / self.theirs if self.theirs else float("inf")

    @property
    def met(self):
        sign, bound = self.goal.split()
        return self.ratio >= float(bound) if sign == "≥" else self.ratio <= float(bound)

    def cells(self):
        return [self.case, self.against, self.what, short(self.ours), short(self.theirs), f"{self.ratio:.2f}",
                self.goal, "yes" if self.met else "**no**"]


HEADINGS = ["case", "against", "what", "archway", "the other", "ratio", "goal", "met"]


def short(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(lines):
    rows = [HEADINGS, ["---"] * len(HEADINGS)] + [line.cells() for line in lines]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def in_turn(rounds, servers, measure):
    """measure(server) for each in turn, every other round the other way round; medians by server and key."""
    figures = {server.name: {} for server in servers}
    for number in range(rounds):
        for server in servers if number % 2 == 0 else reversed(servers):
            before = server.cpu()
            found = measure(server)
            found["cpu"] = server.cpu() - before
            for key, value in derived(found).items():
                figures[server.name].setdefault(key, []).append(value)
    return {name: {key: statistics.median(values) for key, values in one.items()} for name, one in figures.items()}


def derived(found):
    """By the request, the second and the GB (1e9 bytes)."""
    return {"requests/s": found["requests"] / found["seconds"],
            "CPU µs/request": found["cpu"] / max(1, found["requests"]) * 1e6,
            "p99 ms": found["p99"] * 1e3,
            "GB/s": found["bytes"] / 1e9 / found["seconds"],
            "CPU s/GB": found["cpu"] / max(1, found["bytes"]) * 1e9,
            "seconds": found["seconds"], "first byte ms": found["first_byte"] * 1e3}
