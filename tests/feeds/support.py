"""What tests of several feeds need: subscriptions, broken payloads, and what every tick must hold to."""

from __future__ import annotations

import copy
import importlib
import json
import math
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from pydantic import SecretStr

from feeds.base import Feed, Subscription
from feeds.http.feed import PolledFeed
from feeds.registry import kinds
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime

PRICES = ("bid", "ask", "open", "high", "low", "prev_close", "ext_price")

# What a confused provider may put anywhere: every JSON value, and the numbers and strings that are easily taken for good ones.
ODD: st.SearchStrategy[Any] = st.sampled_from([
    None, True, False, 0, -1, 1e300, 10**30, "", "0", "-1", "NaN", "nan", "Infinity", "1_000", "1,5", " 1", "0x1f", "1e5", "1e999",
    "\u0661", "N/D", "null", [], {}, [[]], ["1.5"], {"a": 1}, 1705335000123, "1705335000123", "2024-03-13T11:10:41Z", "\x00", "\U0001f4b8"
])  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12) | ODD
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12
)


@st.composite
def mutated(draw: st.DrawFn, payload: Any) -> bytes:
    """`payload` as JSON with up to three places overwritten, removed or copied elsewhere, and now and then bytes changed or cut off."""
    changed = copy.deepcopy(payload)
    for _ in range(draw(st.integers(0, 3))):
        holders = list(_containers(changed))
        if not holders:
            break
        holder = draw(st.sampled_from(holders))
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            continue
        key = draw(st.sampled_from(keys))
        if draw(st.booleans()):
            holder[key] = copy.deepcopy(draw(JSON))  # what is drawn may be drawn again: never put one list into two places
        else:
            del holder[key]
    body = bytearray(json.dumps(changed).encode())
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(body[: draw(st.sampled_from([len(body), len(body), len(body) // 2, 0]))])


def _containers(value: Any) -> list[Any]:
    if not isinstance(value, dict | list):
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [value, *(found for item in inner for found in _containers(item))]


def subscribe(feed: type[Feed], *symbols: str, **ids: str) -> list[Subscription]:
    """Our symbols, each under the id that the feed gives it; `name=id` for one with an id of its own."""
    named = {symbol: feed.native_id(symbol) for symbol in symbols} | ids
    return [Subscription(symbol, id, feed.Options()) for symbol, id in named.items()]


def home_of_tests(kind: str) -> ModuleType:
    """The tests of a kind: they mirror the module that it lives in."""
    folder, _, name = kinds()[kind].__module__.rpartition(".")
    return importlib.import_module(f"tests.{folder}.test_{name}")


Polled = TypeVar("Polled", bound=PolledFeed)
CANARY = "C4nary-K3y.that+must/never=show"
"""What all secrets are in tests."""


def connected(kind: type[Polled], provider: RunningProvider, runtime: Runtime, **keys: Any) -> Polled:
    """A feed on the local server, with `keys` as in the file, `CANARY` for each secret, and more to spend than any test does."""
    secrets = {name: SecretStr(CANARY) for name in kind.Settings.secrets}
    limits = type(kind.Settings.model_fields["budget"].default).model_fields
    budget = {name: _most(field.metadata) for name, field in limits.items() if field.default is not None}
    given = {"kind": kind.kind, "base_url": provider.url, "budget": budget, **secrets, **keys}
    return kind("of_mine", kind.Settings.model_validate(given), runtime)


def _most(bounds: list[Any]) -> int:
    most: int = next(bound.le for bound in bounds if hasattr(bound, "le"))
    return most


def well_formed(tick: Tick) -> bool:
    """Whether it holds nothing that must not reach anybody: every number finite, every price zero or a number that says something, of any
    sign, times in this era."""
    numbers = [
        value
        for name in tick.__struct_fields__
        if name not in ("hops", "untimed", "halted") and isinstance(value := getattr(tick, name), int | float)
    ]
    prices = [tick.price, *(value for name in PRICES if (value := getattr(tick, name)) is not None)]
    times = [time for time in (tick.quote_time, tick.ext_time) if time is not None]
    return (
        all(isinstance(number, float) or number in times for number in numbers)
        and all(map(math.isfinite, numbers))
        and all(price == 0 or abs(price) >= 1e-18 for price in prices)
        and (tick.volume is None or tick.volume >= 0)
        and all(631_152_000_000 <= time <= 4_102_444_800_000 for time in times)
    )


def answers_or_complains(parse: Callable[[], Mapping[str, Tick | FeedError]], asked: set[str]) -> None:
    """What every parser does, whatever it is given: ticks and errors for what was asked, or a `FeedError`."""
    try:
        answer = parse()
    except FeedError as error:
        assert str(error)  # noqa: PT017 (either outcome is fine; what is raised is looked at too)
        return
    assert answer.keys() <= asked
    assert all(isinstance(value, FeedError) or well_formed(value) for value in answer.values())


def complaint(call: Callable[[], object]) -> FeedError:
    """The `FeedError` that `call` raises."""
    with pytest.raises(FeedError) as caught:
        call()
    return caught.value
