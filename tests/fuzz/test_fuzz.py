"""Fuzzing for a short while: no parser raises what it does not declare. Both ways of it are run, and both are shown to find bugs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import of_feeds
from tests.fuzz.__main__ import Watched, simply
from tests.fuzz.mutate import inputs
from tests.fuzz.target import Target
from tests.fuzz.targets import targets
from ticker.quote import Tick

ROOT = Path(__file__).parents[2]
TOGETHER_S = 5
NO_TICKS = {"compressed", "http_answer", "kraken_pairs", "json", "json_in_slices", "protobuf", "recording"}


@pytest.mark.parametrize("way", [[], ["--simple"]], ids=["atheris, where it is", "mutations"])
def test_no_parser_is_surprised(way: list[str]) -> None:
    """All of them together, in a process of their own."""
    command = [sys.executable, "-m", "tests.fuzz", "--together", "--seconds", str(TOGETHER_S), *way]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-8000:]


@pytest.mark.parametrize("name", sorted(of_feeds.feed_targets().keys() - NO_TICKS))
def test_seeds_reach_what_they_are_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each feed's at least one becomes a tick: fuzzing begins behind the first check and not before it."""
    ticks: list[object] = []

    def note(value: object) -> bool:
        ticks.append(value)
        return True

    monkeypatch.setattr(of_feeds, "well_formed", note)
    target = targets()[name]
    for seed in target.seeds:
        target.run(seed)
    assert any(isinstance(tick, Tick) for tick in ticks)


def raise_for_a_nine(data: bytes) -> None:
    """A parser with a bug."""
    if b"9" in data:
        raise ZeroDivisionError


def test_a_bug_is_found_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """By mutations alone, and with the input that shows it."""
    with pytest.raises(ZeroDivisionError):
        simply(Watched("careless", Target(raise_for_a_nine, [b"[1,2,3]"])), 60, 1)
    assert capsys.readouterr().out.startswith("careless fails on b'")


def test_mutations_are_the_same_each_time() -> None:
    """What was found once is found again."""
    streams = [inputs([b"[1,2,3]", b"{}"], 7) for _ in range(2)]
    for _ in range(1000):
        assert next(streams[0]) == next(streams[1])
