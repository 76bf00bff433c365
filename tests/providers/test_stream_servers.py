"""The servers of streams keep to their providers' rules: what feeds are tested against must be as unkind as the real thing."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from feeds.streams.websocket import WebSocket
from tests.providers.client import RunningProvider, network_in_front_of, running
from ticker.source import Ended
from web.runtime import EventletRuntime

PATIENCE_S = 20.0


class Client:
    """Says and hears JSON."""

    def __init__(self, provider: RunningProvider, path: str) -> None:
        self._link = WebSocket(provider.url.replace("http", "ws") + path, EventletRuntime(), 10.0)
        self._heard: list[Any] = []

    def say(self, *messages: Any) -> None:
        """Send messages; text goes as it stands."""
        for message in messages:
            self._link.send(message.encode() if isinstance(message, str) else json.dumps(message).encode())

    def hear(self, count: int = 1) -> list[Any]:
        """The next messages. Raises `Ended`."""
        deadline_s = time.monotonic() + PATIENCE_S
        while len(self._heard) < count:
            assert time.monotonic() < deadline_s, self._heard
            self._heard += [json.loads(message) for message in self._link.receive(0.1) or []]
        heard, self._heard = self._heard[:count], self._heard[count:]
        return heard

    def hear_end(self) -> tuple[list[Any], str]:
        """All messages until the end, and what is said of that."""
        heard = []
        try:
            while True:
                heard += self.hear()
        except Ended as ended:
            return heard, str(ended)

    def close(self) -> None:
        """Go."""
        self._link.close()


@contextmanager
def talking(kind: str, path: str, **switches: Any) -> Iterator[tuple[RunningProvider, Client]]:
    """A server, and a client of it."""
    with running(kind) as provider:
        provider.set(switches={"quiet": True, **switches})
        client = Client(provider, path)
        yield provider, client
        client.close()


def test_binance_allows_five_messages_a_second() -> None:
    """The sixth closes the connection."""
    request = {"method": "LIST_SUBSCRIPTIONS", "params": [], "id": 1}
    with talking("binance_stream", "/stream?streams=btcusdt@ticker/nope@ticker") as (provider, client):
        client.say(*[request] * 6)
        heard, end = client.hear_end()
        assert provider.exceeded() == ["messages_per_s"]
    assert heard == [{"result": ["btcusdt@ticker", "nope@ticker"], "id": 1}] * 5
    assert "closed with 1008, 'Too many requests'" in end


def test_binance_is_strict_about_requests() -> None:
    """In its own words; 1,024 streams, and no more."""
    with talking("binance_stream", "/ws/btcusdt@ticker") as (provider, client):
        provider.set(limits=False)
        many = [f"x{number}@ticker" for number in range(1024)]
        client.say(
            "{",
            {"method": "SUBSCRIBE", "params": ["ethusdt@ticker"]},
            {"method": "SUBSCRIBE", "params": many, "id": 2},
            {"method": "UNSUBSCRIBE", "params": ["btcusdt@ticker"], "id": 3},
            {"method": "SUBSCRIBE", "params": many, "id": 4},
        )
        assert [(answer.get("code"), answer.get("id"), "error" in answer) for answer in client.hear(5)] == [
            (3, None, False), (2, None, False), (None, 2, True), (None, 3, False), (None, 4, False)]  # fmt: skip


def test_binance_says_goodbye_before_a_planned_cut_and_wants_its_pings_answered() -> None:
    """`serverShutdown`, then the end."""
    with talking("binance_stream", "/stream?streams=btcusdt@ticker", cut_s=0.3, notice_s=0.2, ping_s=0.05) as (provider, client):
        heard, end = client.hear_end()
        assert provider.streams()[0]["pongs"] >= 1
    assert [message["stream"] for message in heard] == ["!serverShutdown"]
    assert "closed with 1001" in end


def test_coinbase_wants_a_subscription_in_time() -> None:
    """Five seconds; here less."""
    with talking("coinbase_stream", "", within_s=0.1) as (_, client):
        assert "closed with 1008" in client.hear_end()[1]


def test_coinbase_acknowledges_with_all_in_force_and_refuses_product_by_product() -> None:
    """A last ticker of each new product; a bad product is refused once for each channel, a bad channel refuses all of its message."""
    with talking("coinbase_stream", "") as (_, client):
        client.say({"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["ticker"]})
        assert [message["type"] for message in client.hear(2)] == ["subscriptions", "ticker"]
        client.say({"type": "subscribe", "channels": [{"name": "ticker", "product_ids": ["ETH-USD", "BTC-USD"]}]})
        in_force, first = client.hear(2)
        assert in_force["channels"] == [{"name": "ticker", "product_ids": ["BTC-USD", "ETH-USD"]}]
        assert (first["product_id"], first["price"] > "") == ("ETH-USD", True)
        client.say({"type": "subscribe", "product_ids": ["SOL-USD"], "channels": ["level9"]}, "what?")
        assert [message["type"] for message in client.hear(2)] == ["error"] * 2
        client.say({"type": "subscribe", "product_ids": ["SOL-USD", "NO-USD", "YFII-USD"], "channels": ["ticker", "heartbeat"]})
        *refusals, in_force, first = client.hear(6)
        assert [refusal["reason"] for refusal in refusals] == ["NO-USD is not a valid product", "YFII-USD is delisted"] * 2
        assert in_force["channels"][0] == {"name": "ticker", "product_ids": ["BTC-USD", "ETH-USD", "SOL-USD"]}


def test_kraken_answers_pair_by_pair_and_beats_only_for_who_subscribed() -> None:
    """Acknowledgement and snapshot, refusal, repetition, pong."""
    with talking("kraken_stream", "/v2", beat_s=0.05) as (_, client):
        assert client.hear()[0]["channel"] == "status"
        client.say({"method": "ping", "req_id": 7})
        assert client.hear()[0]["method"] == "pong"
        pairs = {"channel": "ticker", "symbol": ["BTC/USD", "FOO/BAR", "BTC/USD"]}
        client.say({"method": "subscribe", "params": pairs, "req_id": 8})
        heard = [message for message in client.hear(8) if message.get("channel") != "heartbeat"]
        assert [message.get("success") for message in heard] == [True, None, False, False]
        assert heard[1]["type"] == "snapshot"
        assert [message["error"] for message in heard[2:]] == ["Currency pair not supported FOO/BAR", "Already subscribed"]


def test_alpaca_lets_nobody_skip_a_step() -> None:
    """Not authenticated, twice authenticated, no syntax, too many, a second connection."""
    login = {"action": "auth", "key": "key", "secret": "secret"}
    with talking("alpaca_stream", "/v2/iex") as (provider, client):
        assert client.hear() == [[{"T": "success", "msg": "connected"}]]
        wish, many = {"action": "subscribe", "trades": ["AAPL"]}, [f"T{number:03}" for number in range(31)]
        client.say(wish, login, login, {"action": "dance"}, "{", {"action": "subscribe", "trades": many}, wish)
        assert [part[0].get("code", part[0].get("msg")) for part in client.hear(6)] == [401, "authenticated", 403, 400, 400, 405]
        assert client.hear()[0][0]["trades"] == ["AAPL"]
        second = Client(provider, "/v2/iex")
        second.say(login)
        heard, end = second.hear_end()
        assert heard[1] == [{"T": "error", "code": 406, "msg": "connection limit exceeded"}]
        assert "closed with 1008" in end


def test_alpaca_waits_for_the_key_for_a_while() -> None:
    """404, and out; a wrong one is 402, and out."""
    with talking("alpaca_stream", "/v1beta3/crypto/us", within_s=0.1) as (provider, client):
        assert client.hear_end()[0][1] == [{"T": "error", "code": 404, "msg": "auth timeout"}]
        provider.set(switches={})
        wrong = Client(provider, "/v2/sip")
        wrong.say({"action": "auth", "key": "key", "secret": "wrong"})
        assert wrong.hear_end()[0][1] == [{"T": "error", "code": 402, "msg": "auth failed"}]


def test_finnhub_has_fifty_symbols_and_one_connection_a_key() -> None:
    """One error for each symbol beyond; the first connection gives way to the second."""
    with talking("finnhub_stream", "/?token=key", beat_s=30) as (provider, client):
        client.say(*({"type": "subscribe", "symbol": f"T{number:03}"} for number in range(52)))
        assert client.hear(2) == [{"msg": "Subscribing to too many symbols", "type": "error"}] * 2
        second = Client(provider, "/?token=key")
        assert "another connection of this key" in client.hear_end()[1]
        second.close()


@pytest.mark.parametrize("version", ["2", "1"])
def test_yahoo_forgets_who_says_nothing(version: str) -> None:
    """JSON around the base64 in version 2 only; nothing is acknowledged."""
    with running("yahoo_stream") as provider:
        provider.set(switches={"per_s": 50, "idle_s": 0.3})
        link = WebSocket(f"{provider.url.replace('http', 'ws')}/?version={version}", EventletRuntime(), 10.0)
        link.send(b'{"subscribe":["AAPL","NOPE"]}')
        messages: list[bytes] = []
        deadline_s = time.monotonic() + PATIENCE_S
        while not messages or provider.streams()[0]["asked"]:
            assert time.monotonic() < deadline_s
            messages += link.receive(0.05) or []
        link.close()
    assert {message.startswith(b"{") for message in messages} == {version == "2"}


def test_the_network_spoils_what_passes() -> None:
    """Reordered, twice, byte by byte, not at all, and cut off; REST passes whole."""
    with running("binance_stream") as provider, network_in_front_of(provider) as network:
        provider.set(switches={"quiet": True}, limits=False)
        client = Client(network, "/stream")

        def numbers(count: int, *asked: int) -> list[int]:
            client.say(*({"method": "LIST_SUBSCRIPTIONS", "id": number} for number in asked))
            return [message["id"] for message in client.hear(count)]

        assert numbers(3, 1, 2, 3) == [1, 2, 3]
        network.set(switches={"reorder": 2, "slice": 1})
        assert numbers(4, 4, 5, 6, 7) in ([5, 4, 7, 6], [4, 6, 5, 7])
        network.set(switches={"repeat": 1})
        assert numbers(2, 8) == [8, 8]
        network.set(switches={"silent": True})
        client.say({"method": "LIST_SUBSCRIPTIONS", "id": 9})
        assert client._link.receive(0.2) is None
        network.set(switches={})
        assert client.hear()[0]["id"] == 9
        network.set(cut=True)
        assert client.hear_end()[0] == []
