"""Relays behind one another, each a process of its own: what the first one knows, the last one shows."""

from __future__ import annotations

import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.quote_checks import check_quote
from tests.e2e.raw import RawSocket
from tests.e2e.relay_settings import relayed, simulated
from tests.e2e.server import PATIENCE_S, RunningServer, run, serving, start
from tests.e2e.waiting import wait
from tests.faults import FaultProxy
from tests.providers.client import RunningProvider, network_in_front_of

SYMBOLS = [f"S{number}" for number in range(20)]
PRICES = ("price", "bid", "ask", "open", "high", "low", "prev_close", "volume", "change", "change_pct", "quote_time")


def quotes(server: RunningServer) -> dict[str, dict[str, Any]]:
    """What REST has of each symbol."""
    return {quote["symbol"]: quote for quote in server.get("/api/quotes").json["quotes"]}


def feeds(server: RunningServer) -> dict[str, dict[str, Any]]:
    """What REST has of each feed."""
    return {feed["feed"]: feed for feed in server.get("/api/status").json["feeds"]}


class Reader(threading.Thread):
    """Reads the board of a server and keeps all of it: quotes by symbol, and how old each was when it came, in ms."""

    def __init__(self, server: RunningServer) -> None:
        super().__init__(daemon=True)
        self.quotes: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.ages_ms: list[float] = []
        self._socket = RawSocket(server.address)
        self._socket.join("/")
        self._socket.ask("subscribe", {"symbols": "*"})
        self._over = False
        self.start()

    def run(self) -> None:
        """Until the connection ends."""
        while not self._over:
            try:
                batch = self._socket.event("quotes")
            except Exception:
                return
            now_ms = time.time() * 1000
            for quote in batch:
                if "snapshot" not in quote:
                    self.ages_ms.append(now_ms - quote["quote_time"])
                self.quotes[quote["symbol"]].append(quote)

    def stop(self) -> None:
        """Read no more."""
        self._over = True
        self._socket.close()
        self.join(PATIENCE_S)


@contextmanager
def reading(server: RunningServer) -> Iterator[Reader]:
    """A reader for as long as the block lasts."""
    reader = Reader(server)
    try:
        yield reader
    finally:
        reader.stop()


@pytest.fixture(scope="module")
def chain() -> Iterator[list[RunningServer]]:
    """A source and two relays behind it."""
    with (
        serving(simulated(*SYMBOLS)) as first,
        serving(relayed([*SYMBOLS, "NOPE"], up=first.url)) as second,
        serving(relayed(SYMBOLS, up=second.url)) as third,
    ):
        wait(lambda: quotes(third).keys() == set(SYMBOLS))
        yield [first, second, third]


def test_every_number_arrives_at_the_last(chain: list[RunningServer]) -> None:
    """The first source's name, times and prices; a hop more each; an unknown symbol is rejected alone."""
    first, second, third = chain
    with reading(first) as at_first, reading(third) as at_third:
        wait(lambda: all(len(at_third.quotes[symbol]) > 3 for symbol in SYMBOLS))
        wait(lambda: at_first.quotes["S7"][-1]["quote_time"] > at_third.quotes["S7"][3]["quote_time"])
    for symbol in SYMBOLS:
        made = {quote["quote_time"]: quote for quote in at_first.quotes[symbol]}
        for quote in at_third.quotes[symbol][1:]:
            check_quote(quote, symbol)
            assert (quote["kind"], quote["source"], quote["origin"], quote["hops"], quote["state"]) == ("relayed", "up", "sim", 2, "fresh")
            if quote["quote_time"] in made:
                assert {field: quote[field] for field in PRICES} == {field: made[quote["quote_time"]][field] for field in PRICES}
    (nope,) = [entry for entry in second.get("/api/symbols").json["symbols"] if entry["symbol"] == "NOPE"]
    assert (nope["status"], nope["error"]) == ("rejected", "the upstream has no 'NOPE'")
    epochs = [server.get("/api/status").json["epoch"] for server in chain]
    assert feeds(third)["up"]["upstream"] == [epochs[1], epochs[0]]


def test_doctor_looks_at_the_upstream(chain: list[RunningServer]) -> None:
    """By joining it for a moment."""
    done = run("doctor", "--try", "feeds.up", "S7", "--config", str(chain[2].config))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "upstream_state" in done.stdout


def test_prices_are_hardly_older_at_the_last(chain: list[RunningServer]) -> None:
    """A hop adds a parse and a flush, no polling and no window of waiting."""

    def lately_ms(reader: Reader) -> float:
        return statistics.median(reader.ages_ms[-10 * len(SYMBOLS) :])

    with reading(chain[0]) as at_first, reading(chain[2]) as at_third:
        wait(lambda: all(len(reader.ages_ms) >= 20 * len(SYMBOLS) for reader in (at_first, at_third)))
        # Not an interval later; where the machine was busy, as soon as it is less so.
        wait(lambda: lately_ms(at_third) < lately_ms(at_first) + 500)
        print(f"age at the first {lately_ms(at_first):.1f} ms, at the last {lately_ms(at_third):.1f} ms")


def test_a_symbol_is_added_without_a_new_connection(chain: list[RunningServer]) -> None:
    """From the source to the last relay, by saving three files."""
    for server in chain:
        feed = "sim" if server is chain[0] else "up"
        server.edit(lambda text, feed=feed: text + f'\nLATE = {{ feed = "{feed}" }}\n')  # type: ignore[misc]
    wait(lambda: "LATE" in quotes(chain[2]))
    assert [feeds(server)["up"]["reconnects"] for server in chain[1:]] == [0, 0]
    chain[1].edit(lambda text: text.replace('\nLATE = { feed = "up" }\n', "\n"))
    wait(lambda: any(entry["symbol"] == "LATE" and entry["status"] == "rejected" for entry in chain[2].get("/api/symbols").json["symbols"]))


def test_nothing_is_lost_when_the_middle_one_restarts(tmp_path: Path) -> None:
    """The last one goes on counting, and has the newest of every symbol again, which nobody has moved since."""
    config = tmp_path / "middle.toml"
    with serving(simulated(*SYMBOLS, interval_s=0.1, more="stale_after_s = 600")) as first:
        config.write_text(relayed(SYMBOLS, up=first.url))
        middle = start(config, "--headless")
        middle.url = middle.wait_log(r"listening on (http://\S+)")[1]
        port = middle.address[1]
        with serving(relayed(SYMBOLS, up=middle.url)) as last, reading(last) as reader:
            wait(lambda: all(len(reader.quotes[symbol]) > 10 for symbol in SYMBOLS))
            assert middle.stop() == 0
            before = quotes(last)
            first.edit(lambda text: text.replace("interval_s = 0.1", "interval_s = 60"))
            first.wait_log("settings applied")
            assert all(quote["quote_time"] > before[symbol]["quote_time"] for symbol, quote in quotes(first).items())
            middle = start(config, "--headless", port=port)
            middle.wait_log("listening on")
            try:
                wait(lambda: feeds(last)["up"]["reconnects"] >= 1)
                wait(lambda: all(quote["quote_time"] == quotes(last)[symbol]["quote_time"] for symbol, quote in quotes(first).items()))
                assert {symbol: [quote[field] for field in PRICES] for symbol, quote in quotes(last).items()} == {
                    symbol: [quote[field] for field in PRICES] for symbol, quote in quotes(first).items()
                }
                wait(lambda: all(reader.quotes[symbol][-1] == quote for symbol, quote in quotes(last).items()))
                heard = {symbol: list(reader.quotes[symbol]) for symbol in SYMBOLS}
            finally:
                assert middle.stop() == 0
        for got in heard.values():
            assert all(before["seq"] < after["seq"] for before, after in pairwise(got))
            assert all(before["quote_time"] <= after["quote_time"] for before, after in pairwise(got))
            assert got[-1]["state"] == "fresh"
            assert {quote["state"] for quote in got} <= {"fresh", "failed"}, "failed: the middle one was long away"


def test_what_a_network_loses_repeats_or_turns_round() -> None:
    """No price goes back, none is made up, and what was lost is made good by the next one."""
    with (
        serving(simulated(*SYMBOLS, interval_s=0.05)) as first,
        network_in_front_of(RunningProvider(first.url)) as network,
        serving(relayed(SYMBOLS, up=network.url)) as last,
        reading(first) as at_first,
        reading(last) as at_last,
    ):
        wait(lambda: quotes(last).keys() == set(SYMBOLS))
        network.set(switches={"drop": 5, "reorder": 3, "repeat": 4})
        before = len(at_last.quotes["S7"])
        wait(lambda: len(at_last.quotes["S7"]) > before + 100)
        network.set(switches={})
        first.edit(lambda text: text.replace("interval_s = 0.05", "interval_s = 60"))
        first.wait_log("settings applied")
        wait(lambda: all(quote["quote_time"] == quotes(last)[symbol]["quote_time"] for symbol, quote in quotes(first).items()))
        assert feeds(last)["up"]["reconnects"] == 0
        wait(lambda: all(at_last.quotes[symbol][-1]["quote_time"] == at_first.quotes[symbol][-1]["quote_time"] for symbol in SYMBOLS))
    for symbol in SYMBOLS:
        got = at_last.quotes[symbol]
        assert all(before["seq"] < after["seq"] and before["quote_time"] <= after["quote_time"] for before, after in pairwise(got))
        made = {(quote["quote_time"], quote["price"]) for quote in at_first.quotes[symbol]}  # several of one millisecond, after a pause
        assert {(quote["quote_time"], quote["price"]) for quote in got if quote["quote_time"] >= min(made)[0]} <= made


SIMULATED = '\n[feeds.sim]\nkind = "simulated"\n'


def test_a_relay_of_itself_is_refused(chain: list[RunningServer]) -> None:
    """It names the reason, and its other feed goes on."""
    server = chain[0]
    good = server.config.read_text()
    server.edit(lambda _: relayed(SYMBOLS, me=server.url).replace('["me"]', '["me", "sim"]') + SIMULATED)
    wait(lambda: "me" in feeds(server) and feeds(server)["me"]["error"] is not None)
    assert feeds(server)["me"]["error"] == "a loop, the upstream is refused: it is this very process"
    assert quotes(server)["S7"]["source"] == "sim"
    assert "origin" not in quotes(server)["S7"]
    server.edit(lambda _: good)
    wait(lambda: feeds(server).keys() == {"sim"})


def test_a_loop_of_three_is_refused(chain: list[RunningServer]) -> None:
    """A ← B ← C ← A: whoever closes it is told; what is asked for from outside the loop goes on."""
    one, _, three = chain
    good = one.config.read_text()
    one.edit(lambda _: relayed(SYMBOLS, back=three.url).replace('["back"]', '["back", "sim"]') + SIMULATED)
    wait(lambda: "back" in feeds(one) and feeds(one)["back"]["error"] is not None)
    assert feeds(one)["back"]["error"] == "a loop, the upstream is refused: its own prices come from here"
    before = quotes(three)["S7"]
    wait(lambda: quotes(three)["S7"]["quote_time"] > before["quote_time"])
    assert (quotes(one)["S7"]["source"], quotes(three)["S7"]["hops"]) == ("sim", 2)
    one.edit(lambda _: good)
    wait(lambda: feeds(one).keys() == {"sim"})


def test_the_second_upstream_takes_over(chain: list[RunningServer]) -> None:
    """`feed = ["relay_a", "relay_b"]`: when the first one is lost, the prices go on, and never a step back."""
    with FaultProxy(chain[1].address[1]) as way_to_a:
        settings = relayed(SYMBOLS, relay_a=way_to_a.url, relay_b=chain[0].url).replace(
            'kind = "relay"', 'kind = "relay"\nstale_after_s = 3'
        )
        with serving(settings) as last, reading(last) as reader:
            wait(lambda: all(quote["source"] == "relay_a" for quote in quotes(last).values()) and len(quotes(last)) == len(SYMBOLS))
            way_to_a.cut()
            wait(lambda: all(quote["source"] == "relay_b" for quote in quotes(last).values()))
            before = len(reader.quotes["S7"])
            wait(lambda: len(reader.quotes["S7"]) > before + 5)
            assert {quote["state"] for quote in quotes(last).values()} == {"fresh"}
        for symbol in SYMBOLS:
            got = reader.quotes[symbol]
            assert all(one["seq"] < other["seq"] and one["quote_time"] <= other["quote_time"] for one, other in pairwise(got))


def test_stale_stays_stale(chain: list[RunningServer]) -> None:
    """The first one says so, and the others repeat it with the price's own times, though they hear from it all the time."""
    first, second, third = chain
    good = first.config.read_text()
    with reading(third) as reader:
        wait(lambda: len(reader.quotes["S7"]) > 2)
        first.edit(lambda text: text.replace("interval_s = 0.5", "interval_s = 60\nstale_after_s = 1"))
        wait(lambda: reader.quotes["S7"][-1]["state"] == "stale")
        last_fresh, stale = reader.quotes["S7"][-2:]
        assert {name for name in stale if stale[name] != last_fresh[name]} == {"state", "seq"}
        assert [feeds(server)["up"]["state"] for server in (second, third)] == ["ok", "ok"]
    first.edit(lambda _: good)
    wait(lambda: quotes(third)["S7"]["state"] == "fresh")


def test_an_upstream_may_want_a_token() -> None:
    """It comes from the environment, is refused where it is wrong or missing, and is shown to nobody."""
    token, wrong = "a-good-token-of-theirs", "a-wrong-token-of-ours"
    with serving('[server]\nauth = "token"\n' + simulated("A", "B", "C"), variables={"SERVER__TOKENS": token}) as first:
        names = dict(zip("ABC", ("good", "bad", "none"), strict=True))
        settings = "".join(f'[feeds.{name}]\nkind = "relay"\nbase_url = "{first.url}"\n' for name in names.values())
        settings += "[symbols]\n" + "".join(f'{symbol} = {{ feed = "{name}" }}\n' for symbol, name in names.items())
        variables = {"FEEDS__GOOD__API_KEY": token, "FEEDS__BAD__API_KEY": wrong}
        with serving(settings, "--log-level", "debug", variables=variables) as second:
            wait(lambda: "A" in quotes(second) and all(feeds(second)[name]["error"] is not None for name in ("bad", "none")))
            assert "is the api_key right?" in feeds(second)["bad"]["error"]
            assert quotes(second).keys() == {"A"}
            assert second.lines(f"{token}|{wrong}") == []
