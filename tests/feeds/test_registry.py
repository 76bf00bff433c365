"""Which kinds there are."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import SecretStr

import feeds
from feeds.base import Feed
from feeds.document import with_kinds, with_worth
from feeds.http.client import Http
from feeds.registry import kinds
from feeds.streams.feed import SnapshotFeed, StreamFeed, StreamSettings
from tests.feeds.streams import test_stream_kinds
from tests.feeds.support import complaint, connected, home_of_tests, subscribe
from tests.providers.__main__ import provider_of
from tests.providers.client import RunningProvider
from tests.providers.wire import Request
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import FeedSettings, PolledSettings, SymbolOptions
from ticker.settings.document import BEGIN, END

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "feeds.md"
NO_RUNTIME: Any = None
"""Nothing is asked for."""
FRESHNESS = PAGE.with_name("freshness.md")

SHARED = {"__init__", "api_keys", "base", "document", "registry"}
"""What is no kind beside the files that are one each."""


def test_every_file_is_a_kind_of_its_name() -> None:
    """Adding a provider is adding a file; one of several files has a folder, with its kinds in feed.py and stream.py."""
    files = {path.stem for path in Path(feeds.__path__[0]).glob("*.py")} - SHARED
    homes = {kind: feed.__module__.removeprefix("feeds.") for kind, feed in kinds().items()}
    assert {kind for kind, home in homes.items() if "." not in home} == files
    assert all(home == kind for kind, home in homes.items() if "." not in home)
    assert {home.split(".")[1] for home in homes.values() if "." in home} == {"feed", "stream"}


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_is_complete(kind: str) -> None:
    """It says what settings it takes, shows a payload or an example, and every key is described."""
    feed = kinds()[kind]
    assert issubclass(feed.Settings, FeedSettings)
    assert issubclass(feed.Options, SymbolOptions)
    assert feed.batch_size is None or feed.batch_size >= 1
    module = __import__(feed.__module__, fromlist=["__doc__"])
    assert len(module.__doc__ or "") > 400
    for model in (feed.Settings, feed.Options):
        assert all(field.description for field in model.model_fields.values())


def test_the_pages_are_up_to_date() -> None:
    """`python -m cli.document` would change nothing."""
    assert with_kinds(PAGE.read_text(encoding="utf-8"), kinds()) == PAGE.read_text(encoding="utf-8"), "run make docs"
    assert with_worth(FRESHNESS.read_text(encoding="utf-8"), kinds()) == FRESHNESS.read_text(encoding="utf-8"), "run make docs"


POLLED = [kind for kind, feed in kinds().items() if issubclass(feed.Settings, PolledSettings)]
DESCRIBED = "http_json"
"""The kind whose provider the settings describe."""


@pytest.mark.parametrize("kind", POLLED)
def test_a_polled_kind_has_a_server_and_tests(kind: str) -> None:
    """Tests that mirror its module, and a server of its name: in those, or in a file of its own."""
    assert home_of_tests(kind).__doc__
    assert provider_of(kind) is not None


@pytest.mark.parametrize("kind", [kind for kind in POLLED if kind != DESCRIBED])
def test_a_polled_kind_can_be_pointed_anywhere_and_links_its_documentation(kind: str) -> None:
    """`base_url` has the provider's address as its default."""
    feed = kinds()[kind]
    secrets = {name: SecretStr("a-key") for name in feed.Settings.secrets}
    settings = feed.Settings.model_validate({"kind": kind, **secrets})
    assert isinstance(settings, PolledSettings)
    assert settings.base_url.scheme == "https"
    assert "(https://" in (__import__(feed.__module__, fromlist=["__doc__"]).__doc__ or "")
    assert isinstance(Http(settings, NO_RUNTIME), Http)


def test_a_feed_made_elsewhere_is_not_on_offer() -> None:
    """A test's double must not become a kind that settings can name."""

    class Elsewhere(Feed):
        kind = "elsewhere"

    kinds.cache_clear()
    assert Elsewhere.kind not in kinds()


def test_two_feeds_of_one_kind_are_a_mistake() -> None:
    """Settings could not tell which is meant."""

    class Twin(Feed):
        kind = "kraken"

    Twin.__module__ = "feeds.twin"
    kinds.cache_clear()
    with pytest.raises(TypeError, match="'kraken' is claimed by Kraken and"):
        kinds()
    Twin.__module__ = __name__
    assert kinds()["kraken"].__module__ == "feeds.kraken.feed"


STREAMED = [kind for kind, feed in kinds().items() if issubclass(feed, StreamFeed) and kind.endswith("_stream")]


@pytest.mark.parametrize("kind", STREAMED)
def test_a_streamed_kind_has_a_server_and_tests(kind: str) -> None:
    """As a polled one; what all of them do alike is tested for each, end to end too."""
    assert home_of_tests(kind).__doc__
    assert provider_of(kind) is not None
    assert kind in test_stream_kinds.SYMBOLS
    assert f'"{kind}"' in (TESTS / "e2e" / "test_streams.py").read_text()


@pytest.mark.parametrize("kind", STREAMED)
def test_a_streamed_kind_can_be_pointed_anywhere_and_links_its_documentation(kind: str) -> None:
    """`base_url` has the provider's address as its default, and REST beside the stream goes along with it."""
    feed = kinds()[kind]
    given = {"kind": kind, **{name: SecretStr("a-key") for name in feed.Settings.secrets}}
    settings = feed.Settings.model_validate(given)
    assert isinstance(settings, StreamSettings)
    assert settings.base_url.scheme == "wss"
    assert "(https://" in (__import__(feed.__module__, fromlist=["__doc__"]).__doc__ or "")
    if issubclass(feed, SnapshotFeed):
        assert issubclass(feed.Polled.Settings, PolledSettings)
        moved = feed("mine", feed.Settings.model_validate({**given, "base_url": "wss://elsewhere.example"}), NO_RUNTIME)
        assert str(moved.snapshots.settings.base_url) == "https://elsewhere.example/"
        moved.close()


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_is_documented(kind: str) -> None:
    """It says something of itself in each cell that has to be filled, and its key is that of the settings."""
    feed = kinds()[kind]
    assert "about" in vars(feed), "a kind has an `about` of its own"
    (row,) = re.findall(rf"^\| `{kind}` \|.*$", PAGE.read_text(), re.MULTILINE)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == 7
    assert all(cells)
    assert all((feed.about.time, feed.about.same_answer, feed.about.market))
    assert not any("above" in cell for cell in feed.about), "rows are sorted by kind: name the other one"
    key = cells[5]
    required = [name for name in feed.Settings.secrets if feed.Settings.model_fields[name].is_required()]
    assert key == "none" if not feed.Settings.secrets else "key" in key or not required


def test_paragraphs_with_quirks_are_of_kinds_in_their_order() -> None:
    """Whoever has none needs none."""
    told = re.findall(r"^\*\*`(\w+)`\*\*", PAGE.read_text(), re.MULTILINE)
    assert told == [kind for kind in kinds() if kind in told]
    assert len(told) >= 25


def test_what_is_left_out_is_told() -> None:
    """Stooq, in one line."""
    assert re.search(r"^Not here: Stooq\. .*puzzle", PAGE.read_text(), re.MULTILINE)


def code_of_ones_own() -> tuple[str, str]:
    """The two files that the page ends with: a feed and its test."""
    *_, last = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    assert last.startswith("Write your own: two files\n")
    feed, test = re.findall(r"```python\n(.*?)```", last, re.DOTALL)
    return feed, test


@pytest.fixture
def pasted(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The feed of the page, as the module that its test imports; not on offer as a kind, for it does not live there."""
    module = ModuleType("somewhere.example")
    for name in (module.__name__, "feeds.example"):
        monkeypatch.setitem(sys.modules, name, module)
    exec(code_of_ones_own()[0], vars(module))
    return module


def test_a_feed_of_ones_own_is_short() -> None:
    """Both files fit on a screen or two."""
    feed, test = code_of_ones_own()
    assert len(feed.splitlines()) <= 60
    assert len(test.splitlines()) <= 40


def test_the_page_of_dependencies_names_the_websocket_library() -> None:
    """And what it was preferred to."""
    (row,) = re.findall(r"^\| websockets \|.*$", (PAGE.parent / "dependencies.md").read_text(), re.MULTILINE)
    assert all(word in row for word in ("streams", "without any I/O", "websocket-client", "wsproto"))


def test_the_feed_in_the_docs_works(pasted: ModuleType, kraken: RunningProvider, runtime: Runtime) -> None:
    """ "Write your own": pasted into files, it is a kind, its test passes, its server speaks to it, and it complains as all do."""
    test: dict[str, Any] = {"__name__": "somewhere.test_example"}
    exec(code_of_ones_own()[1], test)
    tests = [value for name, value in test.items() if name.startswith("test_")]
    assert tests
    for one in tests:
        one()
    batch = subscribe(pasted.Example, *test["SYMBOLS"], "NOPE")
    reply = test["ExampleServer"](None).answer(Request.of("/v1/last?ids=A,B,NOPE", {}))
    answer = pasted.parse(reply.body, batch)
    assert [type(answer[symbol]) for symbol in ("A", "B", "NOPE")] == [Tick, Tick, FeedError]
    feed = connected(pasted.Example, kraken, runtime)
    assert "HTTP 404" in str(complaint(lambda: feed.poll(batch)))
    feed.close()
    assert kraken.requests()[0]["query"] == {"ids": "A,B,NOPE"}


def test_the_feed_in_the_docs_is_complete(pasted: ModuleType) -> None:
    """As each kind must be: its docstring shows an answer and links the documentation, and its row has no gap."""
    assert len(pasted.__doc__ or "") > 400
    assert "(https://" in (pasted.__doc__ or "")
    assert "| `example` | what trades at Example Exchange | `A` | 50 | none | none | none |" in rows_of({"example": pasted.Example})


def rows_of(kinds: Mapping[str, type[Feed]]) -> list[str]:
    """The lines of a page that has nothing but the table."""
    return with_kinds(f"{BEGIN}\n{END}", kinds).splitlines()
