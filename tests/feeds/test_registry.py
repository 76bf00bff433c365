"""Which kinds there are."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import HttpUrl, SecretStr

import feeds
from feeds.base import Feed, Subscription
from feeds.http.client import Http
from feeds.registry import kinds
from feeds.streams.feed import SnapshotFeed, StreamFeed, StreamSettings
from tests.feeds.streams import test_stream_kinds
from tests.feeds.support import complaint
from tests.providers.__main__ import providers
from tests.providers.client import RunningProvider
from ticker.errors import FeedError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings import FeedSettings, PolledSettings, SymbolOptions

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "feeds.md"
NO_RUNTIME: Any = None
"""Nothing is asked for."""
FRESHNESS = PAGE.with_name("freshness.md")

SHARED = {"__init__", "api_keys", "base", "registry"}
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


def test_it_is_told_what_each_kinds_word_is_worth() -> None:
    """One row a kind."""
    chapter = FRESHNESS.read_text(encoding="utf-8").partition("## What each provider's word is worth")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", chapter, re.MULTILINE) == sorted(kinds())


def home_of_tests(kind: str) -> Path:
    """Where the tests of a kind are: they mirror the module that it lives in."""
    *folders, name = kinds()[kind].__module__.split(".")
    return TESTS.joinpath(*folders, f"test_{name}.py")


POLLED = [kind for kind, feed in kinds().items() if issubclass(feed.Settings, PolledSettings)]
DESCRIBED = "http_json"
"""The kind whose provider the settings describe."""


@pytest.mark.parametrize("kind", POLLED)
def test_a_polled_kind_has_a_server_and_tests(kind: str) -> None:
    """Tests that mirror its module, and a server of its name."""
    assert home_of_tests(kind).exists()
    assert (TESTS / "providers" / f"{kind}.py").exists()
    assert kind in providers()


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
    assert home_of_tests(kind).exists()
    assert (TESTS / "providers" / f"{kind}.py").exists()
    assert kind in providers()
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
    """A row with nothing left out, whose key is that of the settings, and a paragraph with its quirks."""
    (row,) = re.findall(rf"^\| `{kind}` \|.*$", PAGE.read_text(), re.MULTILINE)
    brings, id_there, batch, limits, key, delay = (cell.strip() for cell in row.strip("|").split("|")[1:])
    assert all((brings, id_there, batch, limits, key, delay))
    model = kinds()[kind].Settings
    required = [name for name in model.secrets if model.model_fields[name].is_required()]
    assert key == "none" if not model.secrets else "key" in key or not required
    assert re.search(rf"^\*\*`{kind}`\*\*", PAGE.read_text(), re.MULTILINE)


def test_what_is_left_out_is_told() -> None:
    """Stooq, in one line."""
    assert re.search(r"^Not here: Stooq\. .*puzzle", PAGE.read_text(), re.MULTILINE)


def test_the_page_ends_with_a_feed_of_ones_own() -> None:
    """In forty lines, run below."""
    *_, last = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    assert last.startswith("Write your own in 40 lines\n")
    (source,) = re.findall(r"```python\n(.*?)```", last, re.DOTALL)
    assert len(source.splitlines()) <= 40


def test_the_page_of_dependencies_names_the_websocket_library() -> None:
    """And what it was preferred to."""
    (row,) = re.findall(r"^\| websockets \|.*$", (PAGE.parent / "dependencies.md").read_text(), re.MULTILINE)
    assert all(word in row for word in ("streams", "without any I/O", "websocket-client", "wsproto"))


def test_docs_have_one_row_a_kind() -> None:
    """Folder, registry and page agree."""
    table = PAGE.read_text().split("| kind |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(kinds())


def test_the_batch_sizes_in_the_docs_are_those_of_the_code() -> None:
    """The fourth column."""
    shown = dict(re.findall(r"^\| `(\w+)` \|[^|]*\|[^|]*\| (\w+) \|", PAGE.read_text(), re.MULTILINE))
    assert shown == {kind: str(feed.batch_size or "all") for kind, feed in kinds().items()} | {DESCRIBED: "set"}


def test_the_feed_in_the_docs_works(kraken: RunningProvider, runtime: Runtime) -> None:
    """ "Write your own": pasted into a file, it is a kind, it reads its payload, and it complains as all do."""
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    module: dict[str, Any] = {"__name__": "somewhere.example"}
    exec(source, module)
    batch = [Subscription("OURS", "A", SymbolOptions()), Subscription("B", "B", SymbolOptions())]
    answer = module["parse"](b'{"A":{"p":"1.25","t":1700000000}}', batch)
    assert answer["OURS"] == Tick(price=1.25, quote_time=1_700_000_000_000)
    assert isinstance(answer["B"], FeedError)
    feed = module["Example"]("mine", module["ExampleSettings"](kind="example", base_url=HttpUrl(kraken.url)), runtime)
    assert "HTTP 404" in str(complaint(lambda: feed.poll(batch)))
    assert kraken.requests()[0]["query"] == {"ids": "A,B"}
