"""What is written about the settings: the page and the default file say what the code does."""

import re
import tomllib

import pytest

from cli.document import DEFAULTS, PAGE, completed
from cli.process.settings import feed_kinds
from tests.ticker.settings.kinds import KINDS
from ticker.settings import LimitSettings, Settings, Table
from ticker.settings.document import BEGIN, END, tables, with_tables
from ticker.settings.environment import variable_of
from ticker.settings.load import FIXED, parse

COMMENTED_OUT = re.compile(r"^#(?=\[|\"?[A-Za-z_-]+\"? = )", re.MULTILINE)


def test_the_page_is_up_to_date() -> None:
    """`python -m cli.document` would change nothing."""
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, feed_kinds()) == page, "run make docs"


def test_the_page_has_every_key() -> None:
    """Each key of each table and kind has a row, with its words and its default."""
    text = tables(KINDS)
    assert "| `port` | a whole number from 0 to 65535 | `5000` |" in text
    assert "| `feed` | a string or a list of strings | required |" in text
    assert "| `seed` | a whole number from 0 to 1000 | `7` | the same seed gives the same prices |" in text
    assert "| `api_key` | a secret of at least 4 characters | from the environment only | the key |" in text
    assert "| `volatility_pct` | a number from 0 to 5 | `0.05` | of one tick |" in text
    keys = {key for model in FIXED.values() for key in model.model_fields}
    keys |= {key for kind in KINDS.values() for model in (kind.settings, kind.options) for key in model.model_fields}
    assert keys <= set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))


def test_every_key_has_a_meaning() -> None:
    """No row of the real page ends in an empty cell."""
    rows = [line for line in tables(feed_kinds()).splitlines() if line.startswith("| `")]
    assert rows
    assert [row for row in rows if row.endswith("|  |")] == []


def test_only_what_is_between_the_marks_is_written() -> None:
    """What people wrote around the tables stays."""
    page = with_tables(f"before\n{BEGIN}\nold\n{END}\nafter\n", KINDS)
    assert page.startswith(f"before\n{BEGIN}\n\n### `[server]`")
    assert page.endswith(f"\n{END}\nafter\n")
    assert "old" not in page
    with pytest.raises(ValueError, match="the page has no"):
        with_tables("no marks", KINDS)


def test_the_default_file_shows_every_default() -> None:
    """Each key of the fixed tables but the secrets stands there with its default. So does each kind, with some of its keys."""
    written = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))
    assert {name: written[name] for name in FIXED} == {
        name: getattr(Settings(), name).model_dump(exclude=set(model.secrets)) for name, model in FIXED.items()
    }
    shown = tomllib.loads(COMMENTED_OUT.sub("", DEFAULTS.read_text(encoding="utf-8")))["feeds"]
    assert {feed["kind"] for feed in shown.values()} == set(feed_kinds()), "run python -m cli.document"
    for name, feed in shown.items():
        fields = feed_kinds()[feed["kind"]].settings.model_fields
        for key, value in feed.items():
            default = fields[key].default
            if key not in ("kind", "stale_after_s", "idle_interval_s") and not fields[key].is_required():
                assert value == _as_in_a_file(default), f"{name}.{key}"


def _as_in_a_file(default: object) -> object:
    if isinstance(default, Table):
        return default.model_dump(exclude_none=True)
    if isinstance(default, tuple):
        return list(default)
    return default if default is None or isinstance(default, bool | int | float | str | list) else str(default).rstrip("/")


def test_every_line_of_the_default_file_is_explained() -> None:
    """Each key of the fixed tables but the secrets has a comment on its line."""
    fixed = DEFAULTS.read_text(encoding="utf-8").partition("[feeds.")[0]
    keys = [line for line in fixed.splitlines() if re.match(r"\w+ = ", line)]
    assert len(keys) == sum(len(model.model_fields) - len(model.secrets) for model in FIXED.values())
    assert [line for line in keys if not re.search(r" # \w", line)] == []


def test_the_default_file_is_valid() -> None:
    """As it stands, without a warning; and with everything that is commented out."""
    text = DEFAULTS.read_text(encoding="utf-8")
    loaded = parse(text.encode(), feed_kinds(), {})
    assert loaded.warnings == ()
    assert {feed.kind for feed in loaded.settings.feeds.values()} == {"simulated"}
    assert len(loaded.settings.symbols) == 12
    assert len({group for symbol in loaded.settings.symbols.values() for group in symbol.group}) == 2
    uncommented_text = COMMENTED_OUT.sub("", text)
    secrets = {
        variable_of(("feeds", name, secret)): "a-key"
        for name, feed in tomllib.loads(uncommented_text)["feeds"].items()
        for secret in feed_kinds()[feed["kind"]].settings.secrets
    }
    uncommented = parse(uncommented_text.encode(), feed_kinds(), secrets)
    assert uncommented.warnings == ()
    assert len(uncommented.settings.feeds) == len(feed_kinds())


def test_a_kind_that_the_default_file_does_not_show_is_written_into_it() -> None:
    """Behind the others, so that it can be used: `python -m cli.document` adds nothing else, and nothing where all are shown."""
    whole = DEFAULTS.read_text(encoding="utf-8")
    assert completed(whole) == whole
    without = re.sub(r"^#\[feeds\.(kraken|finnhub_stream|ecb)\].*\n(#.*\n)+\n", "", whole, flags=re.MULTILINE)
    before, marker, after = without.partition("\n# Symbols: ")
    added = completed(without).removeprefix(before).removesuffix(marker + after)
    assert re.findall(r"^#\[feeds\.(\w+)\] +# \w", added, re.MULTILINE) == ["ecb", "finnhub_stream", "kraken"]
    assert '\n#kind = "kraken"\n#interval_s = 2.0\n#base_url = "https://api.kraken.com"\n' in added
    assert (
        tomllib.loads(COMMENTED_OUT.sub("", completed(without)))["feeds"].keys()
        == tomllib.loads(COMMENTED_OUT.sub("", whole))["feeds"].keys()
    )
    with pytest.raises(ValueError, match="no line that begins with"):
        completed("[feeds]\n")


def test_the_examples_of_the_page_are_valid() -> None:
    """What the page shows can be copied."""
    first, second = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    feeds = '[feeds.sim]\nkind = "simulated"\n[feeds.coinbase]\nkind = "coinbase"\n[feeds.kraken]\nkind = "kraken"\n'
    assert len(parse((feeds + first).encode(), feed_kinds(), {}).settings.symbols) == 3
    secrets = {variable_of(("feeds", "night", secret)): "a-key" for secret in feed_kinds()["alpaca"].settings.secrets}
    kinds_of_price = parse(second.encode(), feed_kinds(), secrets).settings.symbols
    assert (kinds_of_price["POWER"].allow_negative, kinds_of_price["NAV"].cadence) == (True, "day")


def test_each_limit_says_what_it_bounds() -> None:
    """In memory or time, for whoever sizes a machine."""
    section = PAGE.read_text(encoding="utf-8").split("\n## What each limit bounds\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(LimitSettings.model_fields)
