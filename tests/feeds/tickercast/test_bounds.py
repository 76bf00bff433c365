"""What an upstream relay may say of others, and how much: the other side is the test's."""

from __future__ import annotations

import json
import re

import pytest

from feeds.tickercast.session import MOST_SPARE, MOST_SYMBOLS
from tests.feeds.support import complaint
from tests.feeds.tickercast.relaying import Upstream
from ticker import secrets
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.source import Ended, reason


def test_a_list_of_upstreams_is_short_and_plain(runtime: Runtime) -> None:
    """Whatever it has, no client downstream is told more than 16 names of 64 letters, the nearest. A loop is found in all of it."""
    upstream = Upstream(runtime)
    many = [f"relay{number}" for number in range(50_000)]
    odd = ["x" * 65, "a b", "\u202e", "<b>", "", None, 7, ["far"], {"a": 1}]
    upstream.greet(feeds=[{"feed": "a", "upstream": [*odd, *many]}, {"feed": "b", "upstream": ["near", "beyond"]}, {"upstream": "far"}])
    names = upstream.session.facts["upstream"]
    assert (len(names), names[:5]) == (16, ["far", "relay0", "near", "relay1", "beyond"])
    assert all(len(name) <= 64 and re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names)
    upstream.event("feeds", [{"feed": "a", "upstream": [*many, "here"]}])
    assert "a loop" in str(complaint(upstream.look))


@pytest.mark.parametrize("epoch", ["x" * 65, "a b", "\u202eabc", "", None, 7, ["a"]])
def test_an_upstream_that_cannot_be_named_is_refused(runtime: Runtime, epoch: object) -> None:
    """Nobody would find it in a loop."""
    error = complaint(lambda: Upstream(runtime).greet(epoch=epoch))  # type: ignore[arg-type] # what it should not say
    assert "epoch" in str(error)
    assert isinstance(error, Ended)


def test_what_an_upstream_says_without_end_is_bounded(upstream: Upstream) -> None:
    """Reasons, codes, symbols that nobody wants, a list of symbols that is none."""
    long = "no " * 80_000
    rejected = {"status": "rejected"}
    news = upstream.event("symbols", [{"symbol": "A", "error": long, **rejected}, {"symbol": "B", "error": [long], **rejected}])
    assert all(len(str(error)) <= 200 for error in news.values())
    upstream.want("A", "B", "C")
    upstream.acknowledge(C=long)
    assert len(str(upstream.news[-1]["C"])) <= 200
    assert len(reason(complaint(lambda: upstream.say("44" + json.dumps({"message": long, "data": {"code": long}}))))) <= 200
    upstream.quotes(*(upstream.quote(f"S{number}", 1.0, 1) for number in range(MOST_SPARE + 1000)), upstream.quote("x" * 33, 1.0, 1))
    assert len(upstream.session._spare) == MOST_SPARE
    rows = [{"symbol": f"S{number}"} for number in range(MOST_SYMBOLS + 1)]
    assert "more than 100000" in str(complaint(lambda: upstream.event("symbols", rows)))


def test_the_first_source_is_named_as_it_may_be_shown(upstream: Upstream) -> None:
    """In quotes that are all right, and in those that are looked at one by one."""
    key = "an-upstreams-key-of-ours"
    secrets.HIDDEN.add(key)
    for fields in ({}, {"bid": None}):
        for number, name in enumerate((f"s{key}", "\x1b[2J", "sim")):
            news = upstream.quotes(upstream.quote("A", 1.0, 10 * len(fields) + number, source=name, **fields))
            tick = news["A"]
            assert isinstance(tick, Tick)
            assert tick.origin == ["s***", "\\x1b[2J", "sim"][number]
