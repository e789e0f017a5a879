"""A token service for docker-registry: what its "token" authentication sends clients to.

    token_service.py PORT KEY CERTIFICATE PASSWORDS

PASSWORDS is a file of NAME:PASSWORD lines, read for every request. Each request is one line on standard
output: the name that was shown (or -), the status, the scope. A token is good for five minutes.
"""

import base64
import http.server
import json
import subprocess
import sys
import time
import urllib.parse


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Service(http.server.BaseHTTPRequestHandler):
    key = certificate = passwords = ""

    def name(self):
        """Whose name and password were shown; None when they are wrong, "" when there are none."""
        scheme, _, shown = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return ""
        shown = base64.b64decode(shown).decode()
        with open(self.passwords, encoding="utf-8") as file:
            return shown.split(":")[0] if shown in file.read().splitlines() else None

    def token(self, name, service, scopes):
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, repository, actions = scope.split(":")
            access.append({"type": kind, "name": repository, "actions": actions.split(",")})
        head = {"typ": "JWT", "alg": "RS256", "x5c": [self.certificate]}
        claims = {"iss": "e2e", "sub": name, "aud": service, "exp": now + 300, "nbf": now - 10,
                  "iat": now, "jti": str(time.monotonic_ns()), "access": access}
        text = coded(json.dumps(head).encode()) + "." + coded(json.dumps(claims).encode())
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key],
                                input=text.encode(), capture_output=True, check=True).stdout
        return text + "." + coded(signed)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        name, scopes = self.name(), query.get("scope", [])
        status = 200 if name else 401
        print(name or "-", status, *scopes, flush=True)
        body = {"details": "who are you?"}
        if status == 200:
            body = {"token": self.token(name, query["service"][0], scopes), "expires_in": 300}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *args):
        pass


def main():
    port, Service.key, certificate, Service.passwords = sys.argv[1:]
    with open(certificate, encoding="ascii") as file:
        Service.certificate = "".join(line.strip() for line in file if "-----" not in line)
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Service).serve_forever()


main()
