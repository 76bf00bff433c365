"""Plain words for types and bounds, and values that are safe to show."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from tests.ticker.settings.kinds import KeyedSettings
from ticker.settings import ServerSettings, SymbolSettings
from ticker.settings.describe import did_you_mean, expectation, item_expectation, key_path, nearest, shown, toml


class Samples(BaseModel):
    """One field for each form of bound."""

    above: float = Field(1, gt=0)
    below: float = Field(1, lt=1e9)
    least: int = Field(1, ge=-2)
    most: int = Field(1, le=8)
    both: float = Field(1, ge=1e-9, le=1e9)
    free: int = 1
    flag: bool = False
    choice: Literal["a", "b"] = "a"
    either: int | bool = 1
    code: str = Field("", pattern="^x$")
    short: str = Field("x", min_length=1)
    numbers: list[int] = []
    names: dict[str, int] = {}


@pytest.mark.parametrize(("field", "words"), [
    ("above", "a number above 0"), ("below", "a number below 1000000000"), ("least", "a whole number at least -2"),
    ("most", "a whole number at most 8"), ("both", "a number from 0.000000001 to 1000000000"), ("free", "a whole number"),
    ("flag", "true or false"), ("choice", 'one of "a", "b"'), ("either", "a whole number or true or false"),
    ("code", "a string of the form ^x$"), ("short", "a string, not empty"), ("numbers", "a list"), ("names", "a table"),
])  # fmt: skip
def test_expectations(field: str, words: str) -> None:
    """Each type and bound has its words."""
    assert expectation(Samples.model_fields[field]) == words


def test_expectations_of_the_model() -> None:
    """The model's own fields read as a person would say it."""
    assert expectation(ServerSettings.model_fields["port"]) == "a whole number from 0 to 65535"
    assert expectation(ServerSettings.model_fields["async_mode"]) == '"eventlet", the only choice for now'
    assert expectation(SymbolSettings.model_fields["stale_after_s"]) == "a number above 0 and at most 86400"
    assert expectation(SymbolSettings.model_fields["group"]) == "a string or a list of strings"
    assert item_expectation(SymbolSettings.model_fields["group"]) == "a string of 1 to 80 characters without control characters"
    assert expectation(KeyedSettings.model_fields["api_key"]) == "a secret of at least 4 characters"
    assert expectation(KeyedSettings.model_fields["base_url"]) == "an http:// or https:// address"


def test_every_field_of_the_model_has_words() -> None:
    """No field falls through to "another kind of value"."""
    for field in [*ServerSettings.model_fields.values(), *SymbolSettings.model_fields.values(), *KeyedSettings.model_fields.values()]:
        assert "another" not in expectation(field)


@pytest.mark.parametrize(("path", "text"), [
    (["server", "port"], "server.port"), (["symbols", "BTC-USD", "feed"], 'symbols."BTC-USD".feed'), (["a", 0, "b"], "a[0].b"),
    (["symbols", 'A"\n\x1b\U000e0001'], 'symbols."A\\"\\n\\u001b\\U000e0001"'), ([""], '""'),
])  # fmt: skip
def test_key_paths(path: list[str | int], text: str) -> None:
    """A key path reads as in the file, and whatever a terminal could act on is escaped."""
    assert key_path(path) == text


@pytest.mark.parametrize(("value", "text"), [
    (True, "true"), (5, "5"), (math.nan, "nan"), (-math.inf, "-inf"), ("a\\b", '"a\\\\b"'), ([1, "x"], '[1, "x"]'),
    ({"a-b": {"c": []}}, '{ "a-b" = { c = [] } }'), ({}, "{}"), (date(2024, 1, 2), '"2024-01-02"'), ([[[[[1]]]]], "[[[[…]]]]"),
])  # fmt: skip
def test_values_as_toml(value: object, text: str) -> None:
    """A value reads as in the file."""
    assert toml(value) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_what_is_shown_is_short_and_plain(value: object) -> None:
    """Any value becomes something JSON can hold, of bounded length."""
    result = shown(value)
    assert isinstance(result, bool | int | float | str | list | None)
    assert not isinstance(result, Mapping)
    assert len(toml(result)) <= 6 * 81 + 2


@pytest.mark.parametrize(
    "value", ["https://user:hunter2@example.com/", ["https://user:hunter2@example.com/"], "x" * 70 + "https://u:hunter2@e"]
)
def test_a_password_in_a_url_is_not_shown(value: object) -> None:
    """Error messages end up in logs, in bug reports and on the page."""
    assert "hunter2" not in str(shown(value))


def test_nearest_name() -> None:
    """A typing error finds its name whatever the case; what is like nothing finds nothing."""
    assert nearest("coinbse", ["kraken", "coinbase"]) == "coinbase"
    assert nearest("aapl", ["AAPL", "MSFT"]) == "AAPL"
    assert nearest("zzz", ["AAPL", "MSFT"]) is None
    assert did_you_mean("intervall_s", ["kind", "interval_s"], "keys here") == "did you mean interval_s?"
    assert did_you_mean("zzz", ["kind", "interval_s"], "keys here") == "the keys here: kind, interval_s"
    assert did_you_mean("zzz", [], "feeds") == "there are no feeds"
