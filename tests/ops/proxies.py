"""nginx, Caddy and HAProxy as Debian has them, each with the very file of docs/operations: only names, ports and certificates are put in
place of the example's, so the examples can't rot.

Each proxy answers under two names on one port: `127.0.0.1` stands for a name of the relay's own, `localhost` for a host that has it below
`/ticker/` and something else at its root.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.e2e.server import PATIENCE_S, ROOT

EXAMPLES = ROOT / "docs" / "operations"
OWN_NAME, SHARED_NAME = "127.0.0.1", "localhost"


class Ports(NamedTuple):
    """Where the relay is, what else the host has, and where the proxy listens for TLS and for plain HTTP."""

    relay: int
    others: int
    https: int
    http: int


class Kind(NamedTuple):
    """A proxy: its package in Debian, its program, its example, what is put in place in it, and how it is started."""

    package: str
    program: str
    example: str
    filled: Callable[[str, Path, Ports], str]
    command: Callable[[str, Path], Sequence[str]]

    def path(self) -> str:
        """Of the program. Raises `FileNotFoundError`, saying what to install."""
        found = shutil.which(self.program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if found is None:
            raise FileNotFoundError(f"{self.program} is missing. On Debian, as root: apt-get install -y {self.package}")
        return found


class Proxy(NamedTuple):
    """A running one. Who trusts `chain` believes its certificate."""

    name: str
    port: int
    chain: Path

    @property
    def own(self) -> str:
        """The page with a name of its own."""
        return f"https://{OWN_NAME}:{self.port}/"

    @property
    def below(self) -> str:
        """The page below a path."""
        return f"https://{SHARED_NAME}:{self.port}/ticker/"


def _nginx(example: str, folder: Path, ports: Ports) -> str:
    site = _put(
        example,
        (r"server 127\.0\.0\.1:5000;", f"server 127.0.0.1:{ports.relay};"),
        (r"127\.0\.0\.1:8080", f"127.0.0.1:{ports.others}"),
        (r"listen 80;", f"listen 127.0.0.1:{ports.http};"),
        (r"listen 443 ssl", f"listen 127.0.0.1:{ports.https} ssl"),
        (r"\n    listen \[::\].*", ""),
        (r"/etc/ssl/[\w.]+/(fullchain|privkey)\.pem", rf"{folder}/\1.pem"),
    )
    temporary = "\n".join(f"    {kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return (
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr warn;\nevents {{}}\n"
        f"http {{\n    access_log off;\n{temporary}\n{site}\n}}\n"
    )


def _caddy(example: str, folder: Path, ports: Ports) -> str:
    site = _put(
        example,
        (r"127\.0\.0\.1:5000", f"127.0.0.1:{ports.relay}"),
        (r"127\.0\.0\.1:8080", f"127.0.0.1:{ports.others}"),
        (
            rf"(?m)^({re.escape(OWN_NAME)}|{SHARED_NAME}) {{",
            rf"https://\1:{ports.https} {{\n\ttls {folder}/fullchain.pem {folder}/privkey.pem",
        ),
    )
    alone = ("admin off", "auto_https disable_redirects", "skip_install_trust", f"storage file_system {folder}", "default_bind 127.0.0.1")
    return "{\n" + "".join(f"\t{line}\n" for line in alone) + "}\n" + site


def _haproxy(example: str, folder: Path, ports: Ports) -> str:
    return _put(
        example,
        (r"127\.0\.0\.1:5000", f"127.0.0.1:{ports.relay}"),
        (r"127\.0\.0\.1:8080", f"127.0.0.1:{ports.others}"),
        (r"bind :443", f"bind 127.0.0.1:{ports.https}"),
        (r"/etc/haproxy/certificates/", f"{folder}/both.pem"),
    )


def _put(example: str, *changes: tuple[str, str]) -> str:
    """The example with `changes`, each of which must find its place, and with our names."""
    for pattern, put in ((r"ticker\.example\.org", OWN_NAME), (r"www\.example\.org", SHARED_NAME), *changes):
        example, count = re.subn(pattern, put, example)
        assert count, pattern
    return example


KINDS = {
    "nginx": Kind("nginx", "nginx", "nginx.conf", _nginx, lambda program, file: [program, "-p", str(file.parent), "-c", str(file)]),
    "caddy": Kind(
        "caddy", "caddy", "Caddyfile", _caddy, lambda program, file: [program, "run", "--config", str(file), "--adapter", "caddyfile"]
    ),
    "haproxy": Kind("haproxy", "haproxy", "haproxy.cfg", _haproxy, lambda program, file: [program, "-db", "-f", str(file)]),
}


@contextmanager
def running(name: str, folder: Path, relay_port: int, others_port: int) -> Iterator[Proxy]:
    """The proxy `name` before a relay and another application, with its files in `folder`."""
    kind = KINDS[name]
    program = kind.path()
    folder.mkdir()
    chain = _certificate(folder)
    ports = Ports(relay_port, others_port, _free_port(), _free_port())
    file = folder / kind.example
    file.write_text(kind.filled((EXAMPLES / kind.example).read_text(encoding="utf-8"), folder, ports))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(kind.command(program, file), stdout=log, stderr=log, env=os.environ | {"HOME": str(folder)})
    try:
        _wait_listening(process, ports.https, folder / "log")
        yield Proxy(name, ports.https, chain)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _wait_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline_s, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
        except ConnectionRefusedError:
            continue
        return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _certificate(folder: Path) -> Path:
    """A certificate for both names, made for the occasion."""
    key, chain = folder / "privkey.pem", folder / "fullchain.pem"
    names = f"subjectAltName=DNS:{SHARED_NAME},IP:{OWN_NAME}"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-addext", names, "-keyout", str(key), "-out", str(chain)], check=True, capture_output=True
    )  # fmt: skip
    (folder / "both.pem").write_text(chain.read_text() + key.read_text())
    return chain
