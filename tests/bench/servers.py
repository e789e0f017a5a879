"""What ./dev bench starts: archway, and those it is compared with. All on loopback, all in one directory that goes away."""

import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import time
import urllib.request


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _children():
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.name))
    return children


class Server:
    """A program that serves on ports of its own, with all the processes that it starts."""

    def __init__(self, name, directory):
        self.name = name
        self.directory = pathlib.Path(directory) / name
        self.directory.mkdir(parents=True)
        self.port = free_port()
        self.tls_port = free_port()
        self.process = None

    def url(self, path="", tls=False):
        return f"https://127.0.0.1:{self.tls_port}{path}" if tls else f"http://127.0.0.1:{self.port}{path}"

    def start(self, command):
        with open(self.directory / "out", "ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{self.name} does not serve:\n{self.output()[-2000:]}") from None
                time.sleep(0.002)

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # What it left: its own session alone.
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None

    def output(self):
        return (self.directory / "out").read_text(errors="replace")

    def processes(self):
        children, found, todo = _children(), [], [self.process.pid]
        while todo:
            one = todo.pop()
            found.append(one)
            todo += children.get(one, [])
        return found

    def cpu(self):
        """Seconds of CPU so far, of all its threads that live."""
        nanoseconds = 0
        for process in self.processes():
            for task in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
                try:
                    nanoseconds += int(task.read_text().split()[0])
                except OSError:
                    pass
        return nanoseconds / 1e9

    def memory(self):
        """Resident bytes of all its processes."""
        total = 0
        for process in self.processes():
            text = pathlib.Path(f"/proc/{process}/status").read_text()
            total += int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) * 1024
        return total


def _raise_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Stack:
    """Everything that runs; leaving it ends everything."""

    def __init__(self, directory, archway):
        self.directory = pathlib.Path(directory)
        self.archway_binary = archway
        self.running = []
        self.count = 0
        _raise_limit()
        self.certificate, self.key = self.directory / "tls.crt", self.directory / "tls.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", "/CN=localhost", "-keyout", self.key, "-out", self.certificate],
            check=True, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.running:
            one.stop()

    def _add(self, name):
        self.count += 1
        one = Server(f"{name}-{self.count}", self.directory)
        self.running.append(one)
        return one

    def registry(self, upstream=None):
        one = self._add("registry")
        proxy = f"proxy: {{remoteurl: '{upstream}'}}" if upstream else ""
        config = one.directory / "config.yml"
        config.write_text(f"""version: 0.1
log: {{level: error, accesslog: {{disabled: {'true' if upstream else 'false'}}}}}
storage: {{filesystem: {{rootdirectory: '{one.directory}/data'}}}}
http: {{addr: '127.0.0.1:{one.port}', secret: loopback}}
{proxy}
""")
        return one.start(["docker-registry", "serve", str(config)])

    def _nginx(self, one, http):
        config = one.directory / "nginx.conf"
        temporary = "".join(f"{kind}_temp_path {one.directory}/{kind};" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config.write_text(f"""daemon off; pid {one.directory}/pid; error_log {one.directory}/error.log;
user {'root' if os.getuid() == 0 else os.environ.get('USER', 'nobody')};
worker_processes auto; worker_rlimit_nofile 32768;
events {{ worker_connections 16384; }}
http {{ access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000;
  keepalive_timeout 600s; {temporary} {http} }}
""")
        return one.start(["/usr/sbin/nginx", "-c", str(config), "-e", str(one.directory / "error.log")])

    def nginx_static(self, tree):
        """The practical limit: the same bytes as plain files."""
        one = self._add("nginx")
        fields = ("add_header Docker-Distribution-Api-Version registry/2.0; "
                  f"add_header Docker-Content-Digest sha256:{'0' * 64};")
        return self._nginx(one, f"""
  open_file_cache max=10000 inactive=600s; open_file_cache_valid 600s;
  server {{ listen 127.0.0.1:{one.port} reuseport backlog=4096;
    listen 127.0.0.1:{one.tls_port} ssl reuseport backlog=4096; ssl_protocols TLSv1.3;
    ssl_certificate {self.certificate}; ssl_certificate_key {self.key}; ssl_session_cache shared:s:1m;
    root {tree}; default_type application/octet-stream; {fields}
    location ~ /manifests/ {{ default_type application/vnd.oci.image.index.v1+json; {fields} }} }}""")

    def nginx_cache(self, upstream):
        one = self._add("nginx-cache")
        return self._nginx(one, f"""
  proxy_cache_path {one.directory}/cache keys_zone=c:4m max_size=10g;
  server {{ listen 127.0.0.1:{one.port} backlog=4096;
    location / {{ proxy_pass {upstream}; proxy_cache c; proxy_cache_valid 200 10m; proxy_cache_lock on;
      proxy_cache_lock_timeout 60s; proxy_max_temp_file_size 0; }} }}""")

    def limited(self, upstream, rate):
        """The upstream behind a line of so much for each connection."""
        one = self._add("limited")
        return self._nginx(one, f"""
  server {{ listen 127.0.0.1:{one.port};
    location / {{ proxy_pass {upstream}; proxy_max_temp_file_size 0; limit_rate {rate}; }} }}""")

    def archway(self, upstream, settings="", cache=None):
        one = self._add("archway")
        config = one.directory / "archway.yaml"
        config.write_text(f"""listen:
  - address: 127.0.0.1:{one.port}
  - {{address: 127.0.0.1:{one.tls_port}, tls: {{certificate: {self.certificate}, key: {self.key}}}}}
admin: 127.0.0.1:{free_port()}
cache: {{directory: {cache or one.directory / 'cache'}}}
upstreams: [{{name: docker.io, url: '{upstream}', default: true}}]
tags: {{fresh_for: 12h}}
log: {{level: warn}}
{settings}
""")
        one.config = config
        return one.start([self.archway_binary, "serve", "-c", str(config)])


def fetch(url, accept="*/*"):
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=120) as answer:
        return answer.read()
