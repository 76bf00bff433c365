"""JMESPath, checked before it runs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.generic.expressions import check_expression, compiled, search
from tests.feeds.support import JSON, complaint
from ticker.errors import FeedError


@pytest.mark.parametrize(("expression", "words"), [
    ("", "it is empty"), ("a[", "at its end"), ("a b", "at character 3"), ("a..b", "at character 3"), ("nope(@)", r"calls nope\(\)"),
    ("a[?nope(b)].c", r"calls nope\(\)"), ("sum(a, b)", r"sum\(\) with 2 arguments, which takes 1"), ("join(a)", r"join\(\) with 1"),
    ("not_null()", "or more"), ("&a", "has a & in it"), ("{a: &b}", "has a & in it"), ("not_null(&a)", "has a & in it"),
    ("a[?to_array(&b)]", "has a & in it"), ("a" + "[?a" * 3000, "is no JMESPath")])  # fmt: skip
def test_what_is_wrong_is_told_when_it_is_loaded(expression: str, words: str) -> None:
    """In one line, functions included."""
    with pytest.raises(ValueError, match=words) as caught:
        compiled(expression)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "expression", ["a", "@", "a.b[0]", "a[?b > `1`].c | [0]", "not_null(a, b, c)", "'EUR'", "sort_by(@, &a)[-1]", "{x: a, y: length(b)}"]
)
def test_good_ones_are_kept(expression: str) -> None:
    """As they are."""
    assert check_expression(expression) == expression


def test_none_is_none() -> None:
    """An expression that is not there."""
    assert check_expression(None) is None


@pytest.mark.parametrize(
    ("expression", "value"), [("abs(a)", {"a": "x"}), ("a[::0]", {"a": [1]}), ("max_by(@, &a)", [{"a": 1}, {"a": "x"}])]
)
def test_one_that_can_not_be_applied_is_a_complaint(expression: str, value: Any) -> None:
    """With its field's name."""
    assert str(complaint(lambda: search(compiled(expression), value, "price"))).startswith("price: the expression fails")


@given(JSON, st.sampled_from([
    "a.b", "@[0]", "sum(@)", "a[?b > `1`]", "max_by(@, &a)", "join(',', @)", "to_number(@)", "abs(@)", "keys(@)", "[::2]",
    "sort(@)", "avg(a)", "reverse(@)", "starts_with(@, 'a')", "map(&a, @)", "merge(@, a)", "ceil(a)"]))  # fmt: skip
def test_any_value_is_searched_or_complained_of(value: Any, expression: str) -> None:
    """Nothing else is raised."""
    try:
        search(compiled(expression), value, "price")
    except FeedError as error:
        assert str(error)  # noqa: PT017 (either outcome is fine)
