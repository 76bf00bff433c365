"""A server whose certificate nobody's authority signed but its owner's: trusted by `ca_file`, by polled feeds and by streams."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.process.settings import feed_kinds
from feeds.coinbase import Coinbase
from feeds.kraken.stream import KrakenStream
from tests.feeds.support import complaint, subscribe
from tests.providers.certificates import make
from tests.providers.client import RunningProvider, running
from ticker.errors import SettingsError
from ticker.quote import Tick
from ticker.runtime import Runtime
from ticker.settings.load import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With `authority.pem`, `server.pem`, and in `other` those of another authority."""
    found = tmp_path_factory.mktemp("certificates")
    make(found)
    (found / "other").mkdir()
    make(found / "other")
    return found


@pytest.fixture(scope="module")
def coinbase(folder: Path) -> Iterator[RunningProvider]:
    """Behind TLS."""
    with running("coinbase", limits=False, certificate=folder / "server.pem") as provider:
        yield provider


def settings(folder: Path, kind: str, url: str, ca_file: str | None) -> Any:
    """Those of a feed, as a file in `folder` has them."""
    line = "" if ca_file is None else f'ca_file = "{ca_file}"\n'
    (folder / "settings.toml").write_text(f'[feeds.mine]\nkind = "{kind}"\nbase_url = "{url}"\n{line}')
    return load(folder / "settings.toml", feed_kinds(), {}).settings.feeds["mine"]


def test_its_owner_s_authority_is_trusted(folder: Path, coinbase: RunningProvider, runtime: Runtime) -> None:
    """By a path from the folder of the settings file, wherever we stand."""
    feed = Coinbase("mine", settings(folder, "coinbase", coinbase.url, "authority.pem"), runtime)
    (tick,) = feed.poll(subscribe(Coinbase, "BTC-USD")).values()
    feed.close()
    assert isinstance(tick, Tick)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("ca_file", [None, "other/authority.pem"])
def test_nobody_else_s_is(folder: Path, coinbase: RunningProvider, runtime: Runtime, ca_file: str | None) -> None:
    """Neither without a word, nor by another one's."""
    feed = Coinbase("mine", settings(folder, "coinbase", coinbase.url, ca_file), runtime)
    error = complaint(lambda: feed.poll(subscribe(Coinbase, "BTC-USD")))
    feed.close()
    gc.collect()  # eventlet leaves a socket that failed its handshake to the collector, which warns of it: here, and not in another test
    assert (error.fault, "TLS: " in str(error)) == ("certificate", True)


def test_a_file_s_takes_the_place_of_all_others(folder: Path, runtime: Runtime) -> None:
    """Who names one trusts nobody else for this feed."""
    feed = Coinbase("mine", settings(folder, "coinbase", "https://127.0.0.1", "authority.pem"), runtime)
    assert feed.http._transport._session.verify == str(folder / "authority.pem")
    feed.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stream_trusts_it_too(folder: Path, runtime: Runtime) -> None:
    """And only where it is told to."""
    with running("kraken_stream", certificate=folder / "server.pem") as kraken:
        url = kraken.url.replace("https:", "wss:")
        feed = KrakenStream("mine", settings(folder, "kraken_stream", url, "authority.pem"), runtime)
        link = feed.open(subscribe(KrakenStream, "BTC/USD"))
        assert link.receive(5.0)
        link.close()
        feed.close()
        blind = KrakenStream("mine", settings(folder, "kraken_stream", url, None), runtime)
        assert complaint(lambda: blind.open(subscribe(KrakenStream, "BTC/USD"))).fault == "certificate"
        blind.close()
    gc.collect()


@pytest.mark.parametrize(("ca_file", "words"), [
    ("nowhere.pem", "can't be read: no such file or directory"), ("", "must be a string of 1 to 4096 characters"),
    (".", "is a directory"), ("settings.toml", "has no certificate of an authority in it that can be read"),
    ("half.pem", "has no certificate of an authority in it"), ("pipe", "is no file")])  # fmt: skip
def test_a_file_without_one_is_told_before_anything_starts(folder: Path, ca_file: str, words: str) -> None:
    """With its key; a pipe that nobody writes into is not waited for."""
    (folder / "half.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB")
    if not (folder / "pipe").exists():
        os.mkfifo(folder / "pipe")
    with pytest.raises(SettingsError) as caught:
        settings(folder, "coinbase", "https://127.0.0.1", ca_file)
    (problem,) = caught.value.problems
    assert (problem.key, words in problem.reason) == ("feeds.mine.ca_file", True)


def test_clients_are_told_the_name_of_the_file_alone(folder: Path) -> None:
    """Where it lies is nobody's business."""
    with pytest.raises(SettingsError) as caught:
        settings(folder, "coinbase", "https://127.0.0.1", str(folder / "nowhere.pem"))
    assert ("nowhere.pem" in str(caught.value), str(folder) in str(caught.value)) == (True, False)
