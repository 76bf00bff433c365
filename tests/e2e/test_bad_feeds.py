"""Every body that a provider can send and none should, through the whole product: one feed for each, all at a time, one good one beside."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from typing import Any

from tests.e2e.quote_checks import check_quote
from tests.e2e.raw import RawSocket
from tests.e2e.server import PATIENCE_S, RunningServer, serving
from tests.providers.coinbase import Coinbase
from tests.providers.server import ProviderServer

FAULTS: dict[str, dict[str, Any]] = {
    "status_500": {"fault": {"name": "status"}},
    "status_503_drips": {"fault": {"name": "status", "status": 503, "drip_s": 0.2}},
    "html": {"fault": {"name": "html"}},
    "empty": {"fault": {"name": "empty"}},
    "null": {"fault": {"name": "null"}},
    "garbage": {"fault": {"name": "garbage"}},
    "nan": {"fault": {"name": "nan"}},
    "torn": {"fault": {"name": "torn"}},
    "truncate": {"fault": {"name": "truncate"}},
    "huge": {"fault": {"name": "huge"}},
    "bomb": {"fault": {"name": "bomb"}},
    "not_gzip": {"fault": {"name": "not_gzip"}},
    "slow": {"fault": {"name": "slow", "wait_s": 60}},
    "drip": {"fault": {"name": "drip", "wait_s": 0.2}},
    "drip_headers": {"fault": {"name": "drip_headers", "wait_s": 0.2}},
    "hang_up": {"fault": {"name": "hang_up"}},
    "reset": {"fault": {"name": "reset"}},
    "noise": {"fault": {"name": "noise"}},
    "elsewhere": {"fault": {"name": "redirect", "location": "http://192.0.2.1/"}},
    "round_and_round": {"fault": {"name": "redirect", "location": "/products/BTC-USD/ticker"}},
    "zero": {"rows": {"price": "0"}},
    "negative": {"rows": {"price": "-1"}},
    "no_number": {"rows": {"price": "1,5"}},
    "price_null": {"rows": {"price": None}},
    "price_true": {"rows": {"price": True}},
    "price_list": {"rows": {"price": [1]}},
    "infinite": {"rows": {"price": "1e999"}},
    "long_ago": {"rows": {"time": "1901-01-01T00:00:00Z"}},
}
"""What breaks a feed, by the name of the feed."""
BORNE: dict[str, dict[str, Any]] = {
    "numbers": {"fault": {"name": "numbers"}},
    "strings": {"fault": {"name": "strings"}},
    "wrong_type": {"fault": {"name": "wrong_type"}},
    "cookie": {"fault": {"name": "cookie"}},
    "no_bid": {"rows": {"bid": "0", "ask": None, "volume": ""}},
    "good": {},
}
"""What is odd and does no harm."""
JUDGED = frozenset(("negative",))
"""What a feed may well give, and the board refuses where the symbol does not allow it."""
REPEATED_AFTER_S = 60.0
"""One thing that is wrong with a feed is said again after this time at the earliest."""
Known = dict[str, dict[str, Any]]


@contextmanager
def provider() -> Iterator[ProviderServer]:
    """A Coinbase of our own, in a thread."""
    coinbase = Coinbase(None)
    coinbase.control.limits = False
    server = ProviderServer(coinbase, 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


def settings(providers: dict[str, ProviderServer]) -> str:
    """A feed and a symbol for each."""
    limits = {name: "timeout_s = 60\nstale_after_s = 600" if name in BORNE else "timeout_s = 4\nstale_after_s = 6" for name in providers}
    feeds = "".join(
        f'[feeds.{name}]\nkind = "coinbase"\ninterval_s = 0.5\n{limits[name]}\nbase_url = "{server.url}"\n'
        for name, server in providers.items()
    )
    return feeds + "[symbols]\n" + "".join(f'{name} = {{ feed = "{name}", {name} = "BTC-USD" }}\n' for name in providers)


class Reader:
    """Reads the board and knows the newest quote of each symbol."""

    def __init__(self, server: RunningServer) -> None:
        self.client = RawSocket(server.address)
        self.known: Known = {}
        self.client.join("/")
        assert self.client.ask("subscribe", {"symbols": "*"})["ok"]

    def close(self) -> None:
        """Hang up."""
        self.client.close()

    def follow(self, until: Callable[[Known], bool], see: Callable[[dict[str, Any]], None] = lambda quote: None) -> None:
        """Read until `until` is true of what is known; `see` sees each quote."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not until(self.known):
            assert time.monotonic() < deadline_s, {symbol: quote["state"] for symbol, quote in self.known.items()}
            for quote in self.client.event("quotes"):
                check_quote(quote, quote["symbol"])
                assert quote["seq"] > self.known.get(quote["symbol"], {"seq": 0})["seq"]
                self.known[quote["symbol"]] = quote
                see(quote)


def without_state(quote: dict[str, Any]) -> dict[str, Any]:
    """What a change of state alone leaves as it is."""
    return {name: value for name, value in quote.items() if name not in {"seq", "state", "snapshot", "epoch"}}


def check_warnings(server: RunningServer, name: str) -> None:
    """The log says one thing of feed `name`, and not again within a minute. On a busy machine any provider may be slow besides."""
    said: dict[str, datetime] = {}
    teller = "board.incidents" if name in JUDGED else "feeds"
    for line in server.lines(rf"WARNING ticker\.{re.escape(teller)}: feed {name}: (?!a poll takes)"):
        assert len(line) < 500
        at, what = datetime.fromisoformat(line.split()[0]), re.sub(r"\d+|; next try.*| \[.*", "", line.partition(f"feed {name}: ")[2])
        assert what not in said or (at - said[what]).total_seconds() >= REPEATED_AFTER_S, (line, said)
        said[what] = at
    slow = {what for what in said if "no full answer within" in what}
    assert said, name
    assert len(said.keys() - slow) <= 1, (name, said)


def test_bad_bodies_keep_the_last_good_quote() -> None:
    """Each costs its own feed a line in the log, not one a poll, and its price first its freshness; mended, all is fresh again."""
    with ExitStack() as stack:
        providers = {name: stack.enter_context(provider()) for name in FAULTS | BORNE}
        server = stack.enter_context(serving(settings(providers)))
        reader = stack.enter_context(closing(Reader(server)))
        reader.follow(lambda known: known.keys() == providers.keys())

        for name, changes in (FAULTS | BORNE).items():
            rows = {"rows": {"BTC-USD": changes["rows"]}} if "rows" in changes else changes
            providers[name].set_control(rows)
        good: Known = {}
        told: set[str] = set()

        def see(quote: dict[str, Any]) -> None:
            symbol = quote["symbol"]
            if symbol in FAULTS and quote["state"] != "fresh":
                assert without_state(quote) == without_state(good[symbol]), "the last good quote, with its old times"
                told.add(symbol)
            assert symbol not in BORNE or quote["state"] == "fresh"
            assert quote["state"] != "fresh" or symbol not in told, "what is broken does not become fresh by itself"
            good[symbol] = quote

        good.update(reader.known)
        reader.follow(lambda known: all(known[symbol]["state"] != "fresh" for symbol in FAULTS), see)
        moved = {symbol: reader.known[symbol]["seq"] for symbol in BORNE}
        reader.follow(lambda known: all(known[symbol]["seq"] > moved[symbol] + 2 for symbol in BORNE), see)
        for name in FAULTS:
            check_warnings(server, name)
        for name in BORNE:
            assert server.lines(rf"feed {name}: (?!a poll takes)") == []
        assert server.get("/readyz").status == 200

        for running in providers.values():
            running.set_control({"fault": None, "rows": {}})
        reader.follow(lambda known: all(quote["state"] == "fresh" for quote in known.values()))
        for name in FAULTS:
            check_warnings(server, name)
        assert server.lines("Traceback|a bug|ERROR") == []
