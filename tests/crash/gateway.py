"""archway itself as a process: started, killed, stopped; and what the others found out about it."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import time

START_MAX = 120  # s; a start that takes longer counts as a hang, also on a busy machine
STOP_MAX = 120


class Violation(Exception):
    """Something that must hold does not."""


class Gateway:
    """One archway over `directory`, with `upstream` as Docker Hub.

    Its log and its configuration are in `files`, else beside the directory.
    """

    def __init__(self, binary, directory, upstream, files=None, durability="strict"):
        self.binary = binary
        self.directory = pathlib.Path(directory)
        self.first_answers = []  # s, one a start
        self._process = None
        files = files or self.directory.parent
        self._log_path = files / (self.directory.name + ".log")
        self._config_path = files / (self.directory.name + ".yaml")
        self._config_path.write_text(
            f"""listen: [{{address: "127.0.0.1:0"}}]
admin: 127.0.0.1:0
drain: 2s
cache: {{directory: "{self.directory}", keep_free: 0, durability: {durability}}}
upstreams: [{{name: docker.io, url: "{upstream}", default: true}}]
tags: {{fresh_for: 1h}}
prefetch: {{layers: false, seen: false}}
log: {{format: json}}
"""
        )

    def spawn(self, environment=None):
        """Starts the process and does not wait for it; `environment` is added to this process' own."""
        self._began = time.monotonic()
        with open(self._log_path, "wb") as log:
            self._process = subprocess.Popen(
                [self.binary, "serve", "-c", str(self._config_path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
            )
        self.port = self.admin_port = None

    def start(self, environment=None):
        """Starts it and waits for its first answer."""
        self.spawn(environment)
        if not self.wait_until_up():
            raise Violation(f"archway ended at its start with {self.exit_status()}:\n{self.log_end()}")

    def wait_until_up(self):
        """True at the first answer, False when the process ended instead."""
        limit = self._began + START_MAX
        while not self._answers():
            if self._process.poll() is not None:
                return False
            if time.monotonic() > limit:
                raise Violation(f"no answer within {START_MAX} s of the start:\n{self.log_end()}")
            time.sleep(0.001)
        self.first_answers.append(time.monotonic() - self._began)
        return True

    def _answers(self):
        if self.port is None:
            ports = [int(line["address"].rpartition(":")[2]) for line in self.events("listening")]
            if len(ports) < 2:
                return False
            self.port, self.admin_port = ports
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            connection.request("GET", "/v2/")
            status = connection.getresponse().status
            connection.close()
            return status == 200
        except (OSError, http.client.HTTPException):
            return False

    def events(self, message):
        """The lines of the log that say this."""
        found = []
        for line in self._log_path.read_text(errors="replace").splitlines():
            if f'"message":"{message}"' in line and line.endswith("}"):
                found.append(json.loads(line))
        return found

    def log_end(self):
        return "\n".join(self._log_path.read_text(errors="replace").splitlines()[-15:])

    def verify(self):
        """`archway verify` on the running gateway must find nothing wrong."""
        done = subprocess.run(
            [self.binary, "verify", "--json", "--admin", f"127.0.0.1:{self.admin_port}"],
            capture_output=True,
            text=True,
            timeout=STOP_MAX,
        )
        if done.returncode != 0:
            raise Violation(f"archway verify: {done.returncode} {done.stdout}{done.stderr}\n{self.log_end()}")

    def running(self):
        return self._process is not None and self._process.poll() is None

    def exit_status(self):
        return None if self._process is None else self._process.poll()

    def must_run(self):
        if not self.running():
            raise Violation(f"archway ended by itself with {self.exit_status()}:\n{self.log_end()}")

    def kill(self):
        """As a crash would end it. That it ended by itself before is a violation."""
        self.must_run()
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self):
        """In order."""
        self.must_run()
        status = self.end()
        if status != 0:
            raise Violation(f"archway stopped with {status}:\n{self.log_end()}")

    def end(self):
        """Asks it to stop, if it still runs; the exit status."""
        self._process.terminate()
        try:
            return self._process.wait(STOP_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise Violation(f"archway did not stop within {STOP_MAX} s:\n{self.log_end()}") from None

    def close(self):
        """Whatever its state."""
        if self.running():
            self._process.kill()
            self._process.wait()
