"""Symbols that we can't spell: the line that is proposed works as it stands."""

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.settings.kinds import KINDS
from ticker import symbols
from ticker.errors import SettingsError
from ticker.settings.describe import key_part
from ticker.settings.load import parse
from ticker.settings.other_names import alias, hint

FEEDS = '[feeds.sim]\nkind = "walk"\n[feeds.other]\nkind = "walk"\n[symbols]\n'


@pytest.mark.parametrize(("symbol", "name"), [
    ("M&M.NS", "M_M.NS"), ("\u5e01\u5b89\u4eba\u751fUSDT", "X_USDT"), ("A B", "A_B"), ("Nestl\u00e9", "Nestle"), ("&", "X_"), ("-A", "X-A"),
    ("A/", "A"), ("A//B", "A/B"), ("A/../B", "A/B"), ("/A", "A"), ("/", "X"), (" ", "X"), ("x" * 40, "x" * 32), ("", "X")])  # fmt: skip
def test_a_name_is_near_to_the_symbol(symbol: str, name: str) -> None:
    """What can be spelt of it stays."""
    assert alias(symbol) == name


@given(st.text(max_size=80), st.sets(st.sampled_from(["X", "X_", "A", "A_B", "x" * 32]), max_size=5))
def test_any_name_can_be_one(symbol: str, taken: set[str]) -> None:
    """Of any text, and nobody else's."""
    name = alias(symbol, taken)
    assert symbols.check(name) is None
    assert name not in taken


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ('{ feed = "sim" }', '"M_M.NS" = { feed = "sim", sim = "M&M.NS" }'),
        (
            '{ feed = ["sim", "other"], decimals = 2, group = "India", other = { volatility_pct = 2 } }',
            '"M_M.NS" = { feed = ["sim", "other"], decimals = 2, group = "India", sim = "M&M.NS", '
            'other = { id = "M&M.NS", volatility_pct = 2 } }',
        ),
        ('{ feed = "sim", sim = "MM" }', '"M_M.NS" = { feed = "sim", sim = "MM" }'),
    ],
)
def test_the_line_is_the_symbol_s_own_with_its_id(values: str, line: str) -> None:
    """It loads in place of what was there."""
    with pytest.raises(SettingsError) as caught:
        parse(f'{FEEDS}"M&M.NS" = {values}\n'.encode(), KINDS, {})
    (problem,) = caught.value.problems
    assert (problem.key, problem.hint) == ('symbols."M&M.NS"', f"give it another name here: {line}")
    (wish,) = parse((FEEDS + line).encode(), KINDS, {}).settings.symbols.values()
    assert wish.options["sim"].id in ("M&M.NS", "MM")


def test_a_name_that_is_taken_is_not_proposed() -> None:
    """Two lines of one name are no TOML."""
    with pytest.raises(SettingsError) as caught:
        parse(f'{FEEDS}"M_M.NS" = {{ feed = "sim" }}\n"M&M.NS" = {{ feed = "sim" }}\n'.encode(), KINDS, {})
    assert '"M_M.NS_2" = {' in caught.value.problems[0].hint


@pytest.mark.parametrize(("symbol", "feeds"), [("", ["sim"]), ("a\nb", ["sim"]), ("x" * 200, ["sim"]), ("a b", [])])
def test_what_no_feed_can_be_asked_for_has_no_line(symbol: str, feeds: list[str]) -> None:
    """Nothing, line ends, what is longer than an id, and what names no feed that there is."""
    assert hint(symbol, feeds) == ""


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=60))
def test_any_line_reads_back(symbol: str) -> None:
    """With the very id."""
    if symbols.check(symbol) is not None and (words := hint(symbol, ["sim"])):
        name = re.sub(r"^.*?: ", "", words)
        ((key, value),) = tomllib.loads(name).items()
        assert (key_part(key) in words, value) == (True, {"feed": "sim", "sim": symbol})
