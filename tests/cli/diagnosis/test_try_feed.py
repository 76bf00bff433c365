"""`doctor --try`: what a feed makes of one symbol, shown."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.providers.client import running

ROOT = Path(__file__).parents[3]
CANARY = "C4nary-K3y"


def tried(config: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code, and all that was printed."""
    command = [sys.executable, "main.py", "doctor", "--config", str(config), "--try", *arguments]
    run = subprocess.run(
        command,
        cwd=ROOT,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "160", **environment},
    )
    assert "Traceback" not in run.stdout
    return run.returncode, run.stdout


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A settings file to write."""
    return tmp_path / "settings.toml"


def test_what_each_expression_finds_is_shown(config: Path) -> None:
    """As it stands in the answer, and what it becomes; for a symbol that is not in the settings, too."""
    with running("http_json") as provider:
        config.write_text(
            f'[feeds.other]\nkind = "http_json"\nbase_url = "{provider.url}"\npath = "/{{symbol}}?key={{api_key}}"\n'
            'price = "last"\nchange_pct = "move"\n'
        )
        provider.set(switches={"body": '{"last":"12.50","move":"1.27%"}'})
        code, printed = tried(config, "feeds.other", "KO", TICKERCAST_FEEDS__OTHER__API_KEY=CANARY)
        assert code == 0
        for words in ('"12.50"', '"1.27%"', "12.5", "1.27", "HTTP 200"):
            assert words in printed
        assert CANARY not in printed
        provider.set(switches={"body": '{"last":"12.50","move":"unch"}'})
        code, odd = tried(config, "feeds.other", "KO", TICKERCAST_FEEDS__OTHER__API_KEY=CANARY)
        assert code == 0
        assert re.search(r'"unch" +not a number that can be used', odd)
        provider.set(switches={"body": '{"last":"soon"}'})
        code, printed = tried(config, "other", "KO", TICKERCAST_FEEDS__OTHER__API_KEY=CANARY)
        assert code == 1
        assert "price: not a number" in printed


def test_every_kind_can_be_tried(config: Path) -> None:
    """By its tick, or by why there is none."""
    with running("coinbase") as provider:
        config.write_text(
            f'[feeds.cb]\nkind = "coinbase"\nbase_url = "{provider.url}"\n[symbols]\nBITCOIN = {{ feed = "cb", cb = "BTC-USD" }}\n'
        )
        code, printed = tried(config, "feeds.cb", "BITCOIN")
        assert (code, "there BTC-USD" in printed, "currency" in printed) == (0, True, True)
        assert tried(config, "feeds.cb", "NOPE-USD")[0] == 1


def test_a_feed_that_is_not_there_is_wrong_use(config: Path) -> None:
    """With the one that was probably meant."""
    config.write_text('[feeds.sim]\nkind = "simulated"\n')
    code, printed = tried(config, "feeds.simm", "ACME")
    assert (code, "did you mean sim?" in printed) == (2, True)
    assert tried(config, "feeds.sim", "A B")[0] == 2


def test_a_stream_is_listened_to(config: Path) -> None:
    """Its own word where it has one, else what there is beside it; the key is shown nowhere, and a refusal in plain words."""
    keys = {"TICKERCAST_FEEDS__LIVE__API_KEY": CANARY, "TICKERCAST_FEEDS__LIVE__API_SECRET": CANARY}
    with running("alpaca_stream") as provider:
        config.write_text(f'[feeds.live]\nkind = "alpaca_stream"\nbase_url = "{provider.url}"\n')
        provider.set(switches={"per_s": 20})
        code, printed = tried(config, "feeds.live", "AAPL", **keys)
        assert (code, "prev_close" in printed) == (0, True)
        assert provider.streams()[0]["asked"] == ["AAPL"]
        provider.set(switches={"plan": 409, "echo_key": True})
        code, refused = tried(config, "live", "AAPL", **keys)
        assert (code, "the plan does not include this feed (409)" in refused) == (1, True)
        code, unknown = tried(config, "live", "ZZZZ", **keys)
        assert (code, "Alpaca has no 'ZZZZ'" in unknown) == (1, True)
    assert CANARY not in printed + refused + unknown


def test_a_stream_that_says_nothing_shows_what_is_beside_it(config: Path) -> None:
    """At night, say."""
    with running("finnhub_stream") as provider:
        config.write_text(f'[feeds.live]\nkind = "finnhub_stream"\nbase_url = "{provider.url}"\n')
        provider.set(switches={"quiet": True})
        code, printed = tried(config, "live", "AAPL", TICKERCAST_FEEDS__LIVE__API_KEY=CANARY)
        assert provider.streams()[0]["heard"] == [{"type": "subscribe", "symbol": "AAPL"}]
    assert (code, "quote_time" in printed) == (0, True)
