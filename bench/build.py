"""Compiles the C programs of `bench/native` with the system's compiler into `bench/build`, when they are older than their source;
installs the packages of the Node peer from its lock file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
NATIVE = HERE / "native"
BUILD = HERE / "build"
NODE_PEER = HERE / "peers" / "node"

PROGRAMS: dict[str, tuple[str, ...]] = {
    "loadgen": ("loadgen.c", "window.c", "client.c", "socketio.c", "nats.c", "count.c", "options.c", "proc.c", "histogram.c"),
    "sendloop": ("sendloop.c",),
    "calibrate": ("calibrate.c",),
}
FLAGS = ("-O2", "-std=gnu17", "-Wall", "-Wextra", "-Wshadow")


class BuildFailed(Exception):
    """No compiler, or it refused; the message is the compiler's."""


def program(name: str) -> str:
    """The path of a compiled program."""
    return str(BUILD / name)


def build() -> None:
    """Bring all programs up to date. Raises `BuildFailed`."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise BuildFailed("the load generator needs a C compiler (cc) and the headers of zlib")
    BUILD.mkdir(exist_ok=True)
    newest = max(source.stat().st_mtime for source in NATIVE.iterdir())
    for name, sources in PROGRAMS.items():
        target = BUILD / name
        if target.exists() and target.stat().st_mtime > newest:
            continue
        command = [compiler, *FLAGS, "-o", str(target), *(str(NATIVE / source) for source in sources), "-lz", "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildFailed(done.stderr.strip())


def install_node_peer() -> str | None:
    """`npm ci` where Node is there and its packages are not; what went wrong, or `None`."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None or (NODE_PEER / "node_modules" / "socket.io").is_dir():
        return None
    command = [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=NODE_PEER, capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        return "npm ci took longer than 120 s"
    return (done.stderr.strip() or "npm ci failed") if done.returncode else None
