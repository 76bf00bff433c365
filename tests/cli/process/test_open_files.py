"""How many open files are asked for, and what is said where there are fewer. Real limits: `tests/e2e/test_deployments.py`."""

from __future__ import annotations

import resource

import pytest

from cli.process.open_files import Descriptors, descriptors, scarcity, shortage
from ticker.settings import FeedSettings, LimitSettings, Settings

SETTINGS = Settings(limits=LimitSettings(max_clients=1000, max_waiting=50), feeds={name: FeedSettings(kind="x") for name in "abc"})


def limited(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> Descriptors:
    """What there is under such limits."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, hard))
    return descriptors(SETTINGS)


def test_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file a client and a few for the relay itself; no limit is more than any."""
    have = limited(monkeypatch, 1024, resource.RLIM_INFINITY)
    assert (have.least, have.for_clients, have.wanted) == (118, 1102, 1664)
    assert have.soft < have.wanted < have.hard
    assert (shortage(have), scarcity(have, SETTINGS)) == (None, None)


@pytest.mark.parametrize(("hard", "short", "scarce"), [(117, True, True), (118, False, True), (1101, False, True), (1102, False, False)])
def test_where_there_are_fewer(monkeypatch: pytest.MonkeyPatch, hard: int, short: bool, scarce: bool) -> None:
    """To the very number."""
    have = limited(monkeypatch, 64, hard)
    assert (shortage(have) is not None, scarcity(have, SETTINGS) is not None) == (short, scarce)


def test_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both numbers, and how to get more."""
    have = limited(monkeypatch, 64, 500)
    assert scarcity(have, SETTINGS) == (
        "limits.max_clients = 1000 takes 1102 open files, and the process may have 500: about 398 clients find room; raise it: ulimit -n, "
        "LimitNOFILE= (systemd), --ulimit nofile= (Docker), or lower max_clients"
    )
