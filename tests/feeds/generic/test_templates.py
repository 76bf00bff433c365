"""Places for symbols and secrets in a body: JSON in, JSON out, whatever an id holds."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.generic.templates import check_body, filled_body, places_in

GRAPHQL = "query($s: [String]) { quotes(in: $s) { symbol price } }"


def sent(body: Any, *symbols: str, **values: str) -> Any:
    """What arrives of a body."""
    return json.loads(filled_body(body, {"symbol": symbols[0], "symbols": ",".join(symbols), **values}, symbols))


@pytest.mark.parametrize(("body", "arrives"), [
    ({"type": "allMids"}, {"type": "allMids"}), ({"ids": "{symbols}"}, {"ids": ["A", "B"]}), ({"q": "list {symbols}"}, {"q": "list A,B"}),
    ({"id": "{symbol}", "n": 1, "deep": [{"x": "{symbol}!"}]}, {"id": "A", "n": 1, "deep": [{"x": "A!"}]}),
    (["{symbols}"], [["A", "B"]]), ({"key": "k {api_key}"}, {"key": "k s3cret"}), ({"{symbol}": 1}, {"{symbol}": 1}),
    ({"query": GRAPHQL, "variables": {"s": "{symbols}"}}, {"query": GRAPHQL, "variables": {"s": ["A", "B"]}})])  # fmt: skip
def test_places_are_filled(body: Any, arrives: Any) -> None:
    """In texts; the list alone becomes a list; braces of another language stay."""
    check_body(body)
    assert sent(body, "A", "B", api_key="s3cret") == arrives


@given(st.text(max_size=20))
def test_an_id_stays_a_text(id: str) -> None:
    """Quotes, braces, line ends, other places: nothing is put together from pieces."""
    assert sent({"a": "{symbol}", "b": "x{symbol}", "c": "{symbols}"}, id) == {"a": id, "b": f"x{id}", "c": [id]}


def test_which_places_there_are() -> None:
    """In texts at any depth, not in keys."""
    assert places_in({"a": ["{symbol}", {"b": "{api_key} { symbols }"}], "{symbols}": 1}) == {"symbol", "api_key"}


@pytest.mark.parametrize(("body", "words"), [
    ({"a": "{symbl}"}, "did you mean {symbol}"), ({"a": ["{simbols}"]}, "did you mean {symbols}"),
    ({"a": float("nan")}, "JSON does not have, in body.a"), ({"a": {"b": object()}}, "in body.a.b"),
    ({"api_key": "abc"}, "holds a secret, api_key"), ({"x": {"password": "abc"}}, "holds a secret"),
    ({"secret": "{symbol}"}, "holds a secret")])  # fmt: skip
def test_what_is_wrong_with_a_body_is_told(body: Any, words: str) -> None:
    """A slip in a name, what JSON has no word for, what belongs in the environment."""
    with pytest.raises(ValueError, match=words.replace("{", r"\{")):
        check_body(body)


def test_a_body_has_a_bottom() -> None:
    """However it came about."""
    body: Any = {}
    for _ in range(30):
        body = {"a": body}
    with pytest.raises(ValueError, match="deep"):
        check_body(body)


@pytest.mark.parametrize(
    "body", [{"token": "BTC"}, {"tokens": ["A"]}, {"api_key": "{api_key}"}, {"secret": "Bearer {api_secret}"}, {"key": 3}]
)
def test_what_is_no_secret_may_stand_there(body: Any) -> None:
    """Coins are called tokens, too."""
    check_body(body)
