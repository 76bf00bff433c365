"""Editing: the line that was asked for comes or goes, every other byte stays."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticker.settings.kinds import KINDS
from ticker import symbols
from ticker.errors import SettingsError
from ticker.settings import edit, write
from ticker.settings.edit import with_symbol, without_symbol

FEEDS = '[feeds.sim]\nkind = "walk"\n'
ADDED = '"BTC/USD" = { feed = "sim" }\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "[symbols]\nA = { feed = 'sim' } # c\n# B = {}\n\n# next\n[limits]\n",
            "[symbols]\nA = { feed = 'sim' } # c\n" + ADDED + "# B = {}\n\n# next\n[limits]\n",
        ),
        ("[symbols] # c\n\n[limits]\n", "[symbols] # c\n" + ADDED + "\n[limits]\n"),
        ("[symbols]", "[symbols]\n" + ADDED),
        ("[symbols]\nA={feed='sim'}", "[symbols]\nA={feed='sim'}\n" + ADDED),
        ('[symbols]\nA = { feed = [ # c\n"sim",\n] }\n', '[symbols]\nA = { feed = [ # c\n"sim",\n] }\n' + ADDED),
        ("symbols.A = { feed = 'sim' }\n", "symbols.A = { feed = 'sim' }\nsymbols." + ADDED),
        ("[symbols.A]\nfeed = 'sim'\n", "[symbols]\n" + ADDED + "\n[symbols.A]\nfeed = 'sim'\n"),
        ("[symbols]\n[symbols.A]\nfeed = 'sim'\n", "[symbols]\n" + ADDED + "\n[symbols.A]\nfeed = 'sim'\n"),
        (
            "[symbols.A]\nfeed = 'sim'\n[limits]\n[symbols.B]\nfeed = 'sim'\n",
            "[symbols.A]\nfeed = 'sim'\n[limits]\n[symbols.B]\nfeed = 'sim'\n\n[symbols.\"BTC/USD\"]\nfeed = \"sim\"\n",
        ),
        ("# nothing\n", "# nothing\n\n[symbols]\n" + ADDED),
        ("[limits]\nmax_clients = 5", "[limits]\nmax_clients = 5\n\n[symbols]\n" + ADDED),
        ("[symbols]\r\nA = { feed = 'sim' }\r\n# c\r\n", "[symbols]\r\nA = { feed = 'sim' }\r\n" + ADDED.strip() + "\r\n# c\r\n"),
    ],
)
def test_add(before: str, after: str) -> None:
    """After the last symbol, before comments that speak of what follows; in the file's own newlines; somewhere right in any layout."""
    assert with_symbol(before, "BTC/USD", "sim") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[symbols]\n# a\nA = { feed = 'sim' } # c\n# b\nB = {}\n", "[symbols]\n# a\n# b\nB = {}\n"),
        ("[symbols]\nA = { feed = [ # c\n'sim',\n] }\nB = {}\n", "[symbols]\nB = {}\n"),
        ("[symbols]\n\"A\" = { feed = 'sim' }", "[symbols]"),
        ("[symbols]\nA.feed = 'sim'\nA.name = 'A'\nB = {}\n", "[symbols]\nB = {}\n"),
        ("symbols.A = { feed = 'sim' }\nsymbols.B = {}\n", "symbols.B = {}\n"),
        ("[symbols.A]\nfeed = 'sim' # c\n\n# limits\n[limits]\n", "\n# limits\n[limits]\n"),
        ("[symbols.A] # c\n[symbols.B]\nfeed = 'sim'\n", "[symbols.B]\nfeed = 'sim'\n"),
        ("[symbols.A]\nfeed = 'sim'\n[limits]\n[symbols.B]\nfeed = 'sim'\n", "[limits]\n[symbols.B]\nfeed = 'sim'\n"),
        ("[symbols]\r\nA = { feed = 'sim' }\r\n# c\r\n", "[symbols]\r\n# c\r\n"),
        ("[symbols]\r\nB = {}\r\nA = { feed = 'sim' }", "[symbols]\r\nB = {}"),
        ("[symbols.A]\nfeed = 'x'\n[symbols.A.sim]\nvolatility_pct = 1\n# c\n[limits]\n", "# c\n[limits]\n"),
    ],
)
def test_remove(before: str, after: str) -> None:
    """The symbol goes with what stands on its lines; comments around it stay."""
    assert without_symbol(before, "A") == after


@pytest.mark.parametrize("symbol", ["A", "BTC-USD", "BRK.B", "^GSPC", "EURUSD=X", "BTC/USD", "7203.T", "a_b", "1", "true", "A:B+C"])
def test_quotes_where_needed(symbol: str) -> None:
    """What is added reads back as the symbol, whatever characters it is made of."""
    added = with_symbol("[symbols]\n", symbol, "sim")
    assert tomllib.loads(added) == {"symbols": {symbol: {"feed": "sim"}}}
    assert without_symbol(added, symbol) == "[symbols]\n"


def test_a_layout_nobody_uses_is_left_to_its_author() -> None:
    """Where no way of editing gives the right result, the file is not touched, and the line to write is shown."""
    with pytest.raises(SettingsError, match=r'write the line "B/C" = \{ feed = "sim" \} into') as caught:
        with_symbol('symbols = { A = { feed = "sim" } }\n', "B/C", "sim")
    assert caught.value.problems[0].key == "symbols"
    with pytest.raises(SettingsError, match="remove it by hand"):
        without_symbol('symbols = { A = { feed = "sim" } }\n', "A")


def test_a_symbol_that_is_there_or_not() -> None:
    """Adding it twice and removing what is not there are errors that name it."""
    with pytest.raises(SettingsError, match=r"symbols\.A: is there already"):
        with_symbol("[symbols]\nA = {}\n", "A", "sim")
    with pytest.raises(SettingsError, match=r"symbols\.AAPLE: there is no such symbol; did you mean AAPL\?"):
        without_symbol("[symbols]\nAAPL = {}\n", "AAPLE")
    with pytest.raises(SettingsError, match="symbols list shows them all"):
        without_symbol("[symbols]\nAAPL = {}\n", "XYZ")


SYMBOLS = st.text("ABab01.-_=^/:+", min_size=1, max_size=8).filter(lambda symbol: symbols.check(symbol) is None)
COMMENTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12).map(lambda text: f"# {text}")
LINES = st.lists(st.just("") | COMMENTS, max_size=3)


@st.composite
def files(draw: st.DrawFn) -> str:
    """Settings files as people write them: any order of tables, comments and blank lines anywhere, two kinds of newline."""

    def line_of(symbol: str) -> str:
        quote = draw(st.sampled_from(["'", '"']))
        gap = draw(st.sampled_from(["", " ", "    "]))
        comment = draw(st.just("") | COMMENTS.map(lambda text: f"  {text}"))
        value = draw(st.sampled_from(['{ feed = "sim" }', '{feed="sim",name="Ä # }"}', '{ feed = ["sim"], sim = { volatility_pct = 1 } }']))
        return f"{quote}{symbol}{quote}{gap}={gap}{value}{comment}"

    blocks = [["[limits]", "max_clients = 5  # five"], ["[feeds.sim]", 'kind = "walk"']]
    in_lines = draw(st.lists(SYMBOLS, max_size=4, unique=True))
    blocks.append(["[symbols]", *(line for symbol in in_lines for line in [*draw(LINES), line_of(symbol)])])
    in_tables = draw(st.lists(SYMBOLS.filter(lambda symbol: symbol not in in_lines), max_size=2, unique=True))
    blocks += [[f'[symbols."{symbol}"]', *draw(LINES), 'feed = "sim"'] for symbol in in_tables]
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    lines = [line for block in draw(st.permutations(blocks)) for line in [*block, *draw(LINES)]]
    return newline.join(lines) + draw(st.sampled_from(["", newline]))


def lines_of(text: str) -> list[str]:
    """Its lines without what ends them."""
    return [line.removesuffix("\r") for line in text.split("\n")]


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    """Whether all of `part` is in `whole`, in that order."""
    rest = iter(whole)
    return all(line in rest for line in part)


@given(files(), SYMBOLS)
def test_adding_only_adds(text: str, symbol: str) -> None:
    """Every line stays, in order; the file means the same plus the symbol; removing it again gives the same meaning."""
    before = tomllib.loads(text)
    if symbol in before["symbols"]:
        with pytest.raises(SettingsError, match="is there already"):
            with_symbol(text, symbol, "sim")
        return
    after = with_symbol(text, symbol, "sim")
    assert tomllib.loads(after) == before | {"symbols": before["symbols"] | {symbol: {"feed": "sim"}}}
    assert is_subsequence([line for line in lines_of(text) if line], lines_of(after))
    assert tomllib.loads(without_symbol(after, symbol)) == before


@given(files(), st.data())
def test_removing_only_removes(text: str, data: st.DataObject) -> None:
    """Every line that is not the symbol's own stays, in order; the file means the same without it."""
    before = tomllib.loads(text)
    if not before["symbols"]:
        return
    symbol = data.draw(st.sampled_from(sorted(before["symbols"])))
    after = without_symbol(text, symbol)
    others = {name: value for name, value in before["symbols"].items() if name != symbol}
    assert tomllib.loads(after).get("symbols", {}) == others
    assert is_subsequence([line for line in lines_of(after) if line], lines_of(text))
    kept = [line for line in lines_of(text) if line.startswith("#")]
    inside = any(line.startswith(f'[symbols."{symbol}"]') for line in lines_of(text))
    assert inside or is_subsequence(kept, lines_of(after))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A settings file with a feed and a symbol."""
    path = tmp_path / "settings.toml"
    path.write_text(FEEDS + '# shares\n[symbols]\nA = { feed = "sim" }\n')
    return path


def test_add_to_a_file(path: Path) -> None:
    """Without a feed's name the only feed serves the symbol; what is returned is what the file now means."""
    loaded = edit.add(path, "BTC/USD", None, KINDS, {})
    assert path.read_text() == FEEDS + '# shares\n[symbols]\nA = { feed = "sim" }\n' + ADDED
    assert loaded.settings.symbols["BTC/USD"].feed == ("sim",)
    edit.remove(path, "BTC/USD", KINDS, {})
    assert path.read_text() == FEEDS + '# shares\n[symbols]\nA = { feed = "sim" }\n'


@pytest.mark.parametrize(
    ("symbol", "feed", "more", "key", "hint"),
    [
        ("A", None, "", "symbols.A", ""),
        ("A B", None, "", 'symbols."A B"', ""),
        ("B", "sin", "", "--feed", "did you mean sim?"),
        ("B", None, '[feeds.two]\nkind = "walk"\n', "--feed", "the feeds: sim, two"),
        ("B", None, "[limits]\nmax_clients = 0\n", "limits.max_clients", ""),
    ],
)
def test_a_refused_addition_leaves_the_file_alone(path: Path, symbol: str, feed: str | None, more: str, key: str, hint: str) -> None:
    """Wrong, there already, several feeds to choose from, or a file that is wrong elsewhere."""
    text = path.read_text() + more
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        edit.add(path, symbol, feed, KINDS, {})
    assert [problem.key for problem in caught.value.problems] == [key]
    assert hint in caught.value.problems[0].hint
    assert path.read_text() == text


def test_no_feeds_to_choose_from(path: Path) -> None:
    """The remedy is another than with several."""
    path.write_text("[symbols]\n")
    with pytest.raises(SettingsError, match="there are no feeds yet"):
        edit.add(path, "A", None, KINDS, {})


def test_a_symbol_that_is_wrong_can_be_removed(path: Path) -> None:
    """The file need not be valid before, but afterwards."""
    text = path.read_text()
    path.write_text(text + 'B = { feed = "gone" }\n')
    edit.remove(path, "B", KINDS, {})
    assert path.read_text() == text
    path.write_text(text + 'B = { feed = "gone" }\nC = { feed = "gone" }\n')
    with pytest.raises(SettingsError, match=r"symbols\.C\.feed"):
        edit.remove(path, "B", KINDS, {})
    assert "B = " in path.read_text()


def test_the_servers_secrets_are_not_needed(path: Path) -> None:
    """Who adds a symbol may sit in another shell than the server."""
    path.write_text('[feeds.k]\nkind = "keyed"\n[symbols]\n')
    edit.add(path, "A", None, KINDS, {})
    assert path.read_text().endswith('A = { feed = "k" }\n')


def test_a_byte_order_mark_stays(path: Path) -> None:
    """Whoever put it there may want it."""
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    edit.add(path, "B", None, KINDS, {})
    assert path.read_bytes().startswith(b"\xef\xbb\xbf[feeds.sim]")


def test_somebody_else_writes_in_between(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The edit starts again from what they wrote; nothing of theirs is lost."""
    others = iter([b'X = { feed = "sim" }\n', b'Y = { feed = "sim" }\n'])

    def replace(target: Path, old: bytes, new: bytes) -> bool:
        target.write_bytes(target.read_bytes() + next(others, b""))
        return write.replace(target, old, new)

    monkeypatch.setattr(edit, "replace", replace)
    loaded = edit.add(path, "B", None, KINDS, {})
    assert list(loaded.settings.symbols) == ["A", "X", "Y", "B"]
    assert list(tomllib.loads(path.read_text())["symbols"]) == ["A", "X", "Y", "B"]


def test_somebody_writes_all_the_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some attempts that is an error, and not a hang."""
    monkeypatch.setattr(edit, "replace", lambda *_: False)
    with pytest.raises(SettingsError, match="try again"):
        edit.add(path, "B", None, KINDS, {})
