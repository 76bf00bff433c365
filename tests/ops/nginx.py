"""`python -m tests.ops.nginx [--nginx PATH]`: docs/operations/nginx.conf in a real nginx before a real relay, both on loopback.

Checks the syntax, then a quote over `wss`, one over long polling, the page's headers over TLS, and that `/metrics` stays shut. Only names,
ports and certificates are put in place of the example's.
"""

from __future__ import annotations

import argparse
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import Request, urlopen

import requests
import socketio

from tests.e2e.server import ROOT, RunningServer, serving

SETTINGS = """
[server]
trusted_proxies = ["127.0.0.1"]
allowed_hosts = ["localhost"]
[feeds.sim]
kind = "simulated"
interval_s = 0.1
[symbols]
ACME = { feed = "sim" }
"""
PATIENCE_S = 20.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def configuration(folder: Path, relay_port: int, http_port: int, https_port: int) -> str:
    """A whole configuration around the file that is tried."""
    site = (ROOT / "docs/operations/nginx.conf").read_text()
    for pattern, put in (
        (r"server 127\.0\.0\.1:5000;", f"server 127.0.0.1:{relay_port};"),
        (r"listen 80;", f"listen 127.0.0.1:{http_port};"), (r"listen 443 ssl", f"listen 127.0.0.1:{https_port} ssl"),
        (r"\n    listen \[::\].*", ""), (r"server_name ticker\.example\.org;", "server_name localhost;"),
        (r"/etc/ssl/ticker\.example\.org/(fullchain|privkey)\.pem", rf"{folder}/\1.pem"),
    ):
        site, count = re.subn(pattern, put, site)
        assert count, pattern
    temporary = "\n".join(f"    {kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return (f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr warn;\nevents {{}}\n"
            f"http {{\n    access_log off;\n{temporary}\n{site}\n}}\n")


def certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for localhost, and who believes it."""
    key, chain = folder / "privkey.pem", folder / "fullchain.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(chain)], check=True, capture_output=True)
    return ssl.create_default_context(cafile=str(chain))


def status(url: str, trust: ssl.SSLContext) -> tuple[int, str]:
    """Status and headers of an answer."""
    try:
        with urlopen(Request(url), context=trust, timeout=PATIENCE_S) as answer:
            return answer.status, str(answer.headers)
    except OSError as error:
        return getattr(error, "code", 0), str(getattr(error, "headers", error))


def quote(url: str, chain: Path, transport: str) -> object:
    """The first quote of ACME over that transport."""
    session = requests.Session()
    session.verify, session.trust_env = str(chain), False
    with socketio.SimpleClient(http_session=session) as client:
        client.connect(url, namespace="/ACME", transports=[transport])
        event, payload = client.receive(timeout=PATIENCE_S)
        assert event == "quote", event
        return payload["price"]


def try_it(nginx: str, relay: RunningServer, folder: Path) -> None:
    """Everything, one thing after the other; the first that is wrong raises."""
    trust = certificate(folder)
    http_port, https_port = free_port(), free_port()
    config = folder / "nginx.conf"
    config.write_text(configuration(folder, relay.address[1], http_port, https_port))
    subprocess.run([nginx, "-t", "-q", "-p", str(folder), "-c", str(config)], check=True)
    print("syntax: ok")
    process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(config)])
    url = f"https://localhost:{https_port}"
    try:
        deadline_s = time.monotonic() + PATIENCE_S
        while status(f"{url}/healthz", trust)[0] != 200:
            assert process.poll() is None, "nginx has ended"
            assert time.monotonic() < deadline_s, status(f"{url}/healthz", trust)
        for transport in ("websocket", "polling"):
            print(f"a quote over {transport} and TLS: {quote(url, folder / 'fullchain.pem', transport)}")
        code, headers = status(f"{url}/metrics", trust)
        assert code == 403, code
        print("/metrics through the proxy: 403")
        code, headers = status(f"{url}/api/quotes", trust)
        assert code == 200
        assert "max-age=31536000" in headers
        assert "nginx/" not in headers, "no version banner"
        print("REST over TLS: 200, HSTS, no version")
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def main() -> int:
    """Find nginx, run the relay, try."""
    parser = argparse.ArgumentParser(prog="python -m tests.ops.nginx", description=__doc__)
    parser.add_argument("--nginx", default=shutil.which("nginx") or "/usr/sbin/nginx", help="the program")
    options = parser.parse_args()
    if shutil.which(options.nginx) is None:
        print("there is no nginx here; on Debian, as root: apt-get install -y nginx", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, serving(SETTINGS) as relay:
        try_it(options.nginx, relay, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
