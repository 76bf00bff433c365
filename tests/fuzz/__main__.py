"""`python -m tests.fuzz [TARGET …] [--seconds N]`: fuzz each target for so long, by atheris where it is installed, else by `mutate.py`.

Ends with 1 at the first bug, which is shown with the input that shows it, as Python writes it. `--together`: all targets in one process
and one time, for a quick look.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from time import process_time

from tests.fuzz.mutate import inputs
from tests.fuzz.target import Target

warnings.filterwarnings("ignore", message="\\s*Eventlet is deprecated")
INSTRUMENTED = ["feeds", "web.fanout", "web.socketio.board", "ticker.settings"]

SLOWEST_S = 1.0
"""Of processor time for one input; 10 times what a quiet machine needs for the worst there is."""


class Watched:
    """A target that shows which input it fails on."""

    def __init__(self, name: str, target: Target) -> None:
        self.name = name
        self.seeds = target.seeds
        self._run = target.run
        self.count = 0

    def __call__(self, data: bytes) -> None:
        """Raises what the target does, after showing the input."""
        self.count += 1
        began_s = process_time()
        try:
            self._run(data)
            took_s = process_time() - began_s
            assert took_s < SLOWEST_S, f"took {took_s:.2f} s"
        except BaseException:
            print(f"{self.name} fails on {data!r}", flush=True)
            raise


def together(watched: list[Watched]) -> Watched:
    """All of them as one target: the first byte of the input says which."""

    def run(data: bytes) -> None:
        if data:
            watched[data[0] % len(watched)](data[1:])

    seeds = [bytes([index]) + seed for index, one in enumerate(watched) for seed in one.seeds]
    return Watched("all", Target(run, seeds))


def simply(target: Watched, seconds: float, seed: int) -> None:
    """Fuzz without atheris."""
    until_s = process_time() + seconds
    stream = inputs(target.seeds, seed)
    for data in islice(stream, len(target.seeds)):
        target(data)
    while process_time() < until_s:
        target(next(stream))


def by_atheris(target: Watched, seconds: float, seed: int) -> None:
    """Fuzz by coverage; does not return."""
    atheris = import_module("atheris")
    for data in target.seeds:
        target(data)
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(target.seeds):
            (Path(folder) / str(number)).write_bytes(data)
        arguments = [sys.argv[0], folder, f"-max_total_time={max(1, round(seconds))}", f"-seed={seed}", "-max_len=8192",
                     "-rss_limit_mb=1024", "-timeout=30", "-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={folder}/"
        ]  # fmt: skip
        atheris.Setup(arguments, target)
        atheris.Fuzz()


def main() -> None:
    """Read the arguments, fuzz."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the parsers.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all")
    parser.add_argument("--seconds", type=float, default=20, help="for each target, or for all --together (default: %(default)s)")
    parser.add_argument("--together", action="store_true", help="all of them in one process")
    parser.add_argument("--seed", type=int, default=1, help="another one finds other inputs (default: %(default)s)")
    parser.add_argument("--simple", action="store_true", help="without atheris, though it is there")
    arguments = parser.parse_args()

    has_atheris = find_spec("atheris") is not None and not arguments.simple
    known = _targets(has_atheris)
    unknown = set(arguments.targets) - known.keys()
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    names = arguments.targets or list(known)
    if len(names) > 1 and not arguments.together:
        _one_by_one(names, arguments)
        return
    watched = [Watched(name, known[name]) for name in names]
    print(f"{', '.join(names)}: {'atheris' if has_atheris else 'mutations'}", flush=True)
    (by_atheris if has_atheris else simply)(together(watched) if len(watched) > 1 else watched[0], arguments.seconds, arguments.seed)
    print(f"{sum(one.count for one in watched)} inputs, no bug")


def _targets(instrumented: bool) -> Mapping[str, Target]:
    """All targets. They are imported here, behind atheris, which counts what runs only in modules that it has seen coming."""
    if not instrumented:
        found: Mapping[str, Target] = import_module("tests.fuzz.targets").targets()
        return found
    with import_module("atheris").instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        return _targets(instrumented=False)


def _one_by_one(names: list[str], arguments: argparse.Namespace) -> None:
    """Each in a process of its own, that a crash of one hides nothing of another."""
    options = ["--seconds", str(arguments.seconds), "--seed", str(arguments.seed), *(["--simple"] if arguments.simple else [])]
    failed = [name for name in names if subprocess.run([sys.executable, "-m", "tests.fuzz", name, *options], check=False).returncode]
    if failed:
        sys.exit(f"bugs in {', '.join(failed)}")


if __name__ == "__main__":
    main()
