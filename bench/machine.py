"""The machine and the versions, for the results; and how fast the cores are right now."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from bench.build import NODE_PEER, program
from bench.children import GENERATOR_CORE, SERVER_CORE
from bench.servers import NATS

LIBRARIES = ("eventlet", "flask-socketio", "python-socketio", "python-engineio", "greenlet")


def describe() -> dict[str, str]:
    """Processor, kernel, versions: what a reader needs to compare, and nothing that says whose machine it is."""
    said = {
        "processor": _first(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)"),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "virtual": "yes" if re.search(r"^flags.*\bhypervisor\b", _text(Path("/proc/cpuinfo")), re.MULTILINE) else "no",
        "kernel": platform.release().split("-")[0],
        "Python": platform.python_version(),
    }
    for name in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            said[name] = importlib.metadata.version(name)
    if shutil.which("node"):
        said["Node"] = _output("node", "--version").lstrip("v")
    package = NODE_PEER / "node_modules" / "socket.io" / "package.json"
    if package.exists():
        said["socket.io"] = json.loads(package.read_text(encoding="utf-8"))["version"]
    if NATS:
        said["nats-server"] = _output(NATS, "--version").removeprefix("nats-server: v")
    return said


def speed() -> float:
    """Round trips a second of 6 KB through a socket pair, on both measuring cores at once; the slower of the two. Takes 0.15 s.
    On a machine shared with others this moves, and with it every absolute figure."""
    running = [
        subprocess.Popen(["taskset", "-c", str(core), program("calibrate"), "150"], stdout=subprocess.PIPE, text=True)
        for core in {SERVER_CORE, GENERATOR_CORE}
    ]
    return min(float(process.communicate(timeout=30)[0]) for process in running)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _first(file: Path, pattern: str) -> str:
    found = re.search(pattern, _text(file))
    return found[1].strip() if found else ""
