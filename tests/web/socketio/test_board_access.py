"""Socket.IO with tokens, by the bytes on the wire: nothing before a good one, nothing that it does not allow, nothing after its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.raw import POLLING, WEBSOCKET, RawPolling, RawSocket
from tests.web.relaying import PATIENCE_S, Relaying, relaying
from ticker.settings.reload import Reload
from web.auth.identity import ANYBODY, Identity, Unauthorized
from web.auth.throttle import MOST_FAILURES
from web.auth.tokens import WrongToken
from web.auth.visible import NOT_TOLD
from web.refusals import Reason, body
from web.runtime import EventletRuntime
from web.socketio.board import MOST_UNKNOWN

SYMBOLS = ["BTC-USD", "BTC-EUR", "SECRETONE", "SECRETTWO"]
NOW_S = 2_000_000_000.0
UNKNOWN_SESSION = body(Reason.SESSION).decode()


class Names:
    """Whose token is a name, or `until SECONDS`."""

    def verify(self, token: str) -> Identity:
        """`all`, `some` (what begins with BTC-), `slow` (5 Hz), `slower` (0.5 Hz), `until 60`: for so many seconds."""
        known = {"all": ANYBODY, "some": Identity(symbols=("BTC-*",)), "slow": Identity(max_hz=5), "slower": Identity(max_hz=0.5)}
        if token == "old":
            raise Unauthorized("the token has expired")
        if token.startswith("until "):
            return Identity(expires_s=NOW_S + float(token.removeprefix("until ")))
        if token not in known:
            raise WrongToken("the token is wrong")
        return known[token]


@pytest.fixture
def running() -> Iterator[Relaying]:
    """A relay that asks for one of those names, with a price of every symbol."""
    with relaying(SYMBOLS, dict.fromkeys(SYMBOLS, 1.5), verifier=Names()) as core:
        core.server.engine.wall_clock = lambda: NOW_S
        core.wait("SECRETTWO")
        yield core


def bearer(token: str) -> list[tuple[bytes, bytes]]:
    """The header of a handshake."""
    return [(b"Authorization", f"Bearer {token}".encode())]


def refusal(answer: str) -> str:
    """The code in a CONNECT_ERROR."""
    assert answer.startswith("44"), answer
    return str(json.loads(answer[answer.index("{") :])["data"]["code"])


@pytest.mark.parametrize("token", [None, "wrong", "old", "", 5, ["all"], {"all": 1}])
@pytest.mark.parametrize("namespace", ["/", "/BTC-USD", "/NOPE"])
def test_refused_before_the_first_byte_of_data(running: Relaying, namespace: str, token: Any) -> None:
    """On each namespace, known or not; whatever else is sent, all that ever comes is the refusal."""
    with closing(RawSocket(running.address)) as client:
        assert refusal(client.join(namespace, token)) == "unauthorized"
        client.send('42["subscribe",{"symbols":"*"}]')
        running.prices["BTC-USD"] = 2.5
        running.wait("BTC-USD")
        assert refusal(client.join("/BTC-EUR", token)) == "unauthorized"
        for data in (b"quote", b"hello", b"symbols", b"epoch", b"SECRET", b"price"):
            assert data not in client.wire


@pytest.mark.parametrize("token", [None, "wrong", "old"])
def test_refused_over_long_polling(running: Relaying, token: str | None) -> None:
    """Just so."""
    client = RawPolling(running.address)
    auth = "" if token is None else json.dumps({"token": token})
    client.post(f"40{auth}", f"40/BTC-USD,{auth}")
    packets = client.poll()
    while len(packets) < 2:
        packets += client.poll()
    assert [packet[:2] for packet in packets] == ["44", "44"]
    assert all('"code":"unauthorized"' in packet for packet in packets)


def test_a_token_counts_for_the_whole_connection(running: Relaying) -> None:
    """The first one does, for namespaces that send none; one that is sent is looked at all the same."""
    with closing(RawSocket(running.address)) as client:
        assert client.join("/BTC-USD", "all").startswith("40")
        assert client.join("/SECRETONE").startswith("40")
        assert refusal(client.join("/SECRETTWO", "wrong")) == "unauthorized"
        assert refusal(client.join("/SECRETTWO", "some")) == "unauthorized"
        assert client.join("/SECRETTWO").startswith("40")
        assert client.quote("SECRETTWO")["price"] == 1.5


@pytest.mark.parametrize("token", ["all", "some"])
def test_a_token_in_the_handshake(running: Relaying, token: str) -> None:
    """By header, on either transport."""
    with closing(RawSocket(running.address, headers=bearer(token))) as client:
        client.join("/BTC-USD")
        assert client.quote("BTC-USD")["price"] == 1.5
        assert client.join("/SECRETONE").startswith("40" if token == "all" else "44")
        assert refusal(client.join("/SECRETTWO", "wrong")) == "unauthorized"


@pytest.mark.parametrize("token", ["wrong", "old", "all,Bearer all"])
def test_a_wrong_token_in_the_handshake(running: Relaying, token: str) -> None:
    """The handshake is refused with 401, and no session is made."""
    with pytest.raises(ConnectionRefusedError, match="401"):
        RawSocket(running.address, headers=bearer(token))
    for path in ("/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=polling&token=all"):
        answer = running.http.get(path, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="tickercast"')
    assert not running.server.engine.clients


@pytest.mark.parametrize("token", ["wrong", "old"])
def test_a_bad_token_takes_its_addresss_share(token: str) -> None:
    """Like none at all: what is left in the second is for others, and for who has a good one at the same address."""
    with relaying(SYMBOLS, {}, verifier=Names(), limits={"connects_per_s": 40}) as running:
        running.server.engine.clock = lambda: 5000.0
        for _ in range(15):
            with pytest.raises(ConnectionRefusedError, match="401"):
                RawSocket(running.address, headers=bearer(token))
        with pytest.raises(ConnectionRefusedError, match="503"):
            RawSocket(running.address)
        other = running.http.get(POLLING, environ_base={"REMOTE_ADDR": "192.0.2.1"})
        assert other.status_code == 200
        for _ in range(29):
            with closing(RawSocket(running.address, headers=bearer("all"))):
                pass
        with pytest.raises(ConnectionRefusedError, match="503"):
            RawSocket(running.address, headers=bearer("all"))


def test_a_token_in_the_address_of_a_handshake(running: Relaying) -> None:
    """It is refused, good or not."""
    with pytest.raises(ConnectionRefusedError, match="401"):
        RawSocket(running.address, WEBSOCKET + "&token=all")


def test_the_board_shows_what_may_be_seen(running: Relaying) -> None:
    """Lists, errors, subscriptions by name and by `*`: only of its symbols."""
    running.core.report_reload(Reload(False, 1, 'symbols."SECRETONE": there is no such feed'))
    with closing(RawSocket(running.address)) as client:
        client.join("/", "some")
        assert [entry["symbol"] for entry in client.event("symbols")] == ["BTC-USD", "BTC-EUR"]
        assert client.event("config")["error"] == NOT_TOLD
        answer = client.ask("subscribe", {"symbols": ["BTC-USD", "SECRETONE", "NOPE", "BTC-NOPE"]})
        assert answer["subscribed"] == ["BTC-USD"]
        assert answer["refused"] == {"SECRETONE": "unauthorized", "NOPE": "unauthorized", "BTC-NOPE": "unknown_symbol"}
        assert [quote["symbol"] for quote in client.event("quotes")] == ["BTC-USD"]
        answer = client.ask("subscribe", {"symbols": "*"})
        assert (answer["subscribed"], answer["refused"]) == (["BTC-EUR", "BTC-USD"], {})
        assert [quote["symbol"] for quote in client.event("quotes")] == ["BTC-EUR"]
        running.prices["SECRETONE"] = running.prices["BTC-USD"] = 2.5
        assert [quote["symbol"] for quote in client.event("quotes")] == ["BTC-USD"]
        assert b"SECRETTWO" not in client.wire
        assert client.wire.count(b"SECRETONE") == 1, "its own question, repeated"


def test_everything_that_may_be_seen_includes_what_comes_later(running: Relaying) -> None:
    """A new symbol joins a `*` subscription where the token allows it; leaving some of it leaves a list."""
    with closing(RawSocket(running.address)) as client:
        client.join("/", "some")
        client.event("config")
        client.ask("subscribe", {"symbols": "*"})
        client.event("quotes")
        running.prices |= {"BTC-NEW": 3.5, "SECRETNEW": 4.5}
        running.core.configure(running.settings([*SYMBOLS, "BTC-NEW", "SECRETNEW"]))
        assert [entry["symbol"] for entry in client.event("symbols")] == ["BTC-USD", "BTC-EUR", "BTC-NEW"]
        assert [(quote["symbol"], quote["snapshot"]) for quote in client.event("quotes")] == [("BTC-NEW", True)]
        assert client.ask("unsubscribe", {"symbols": ["BTC-EUR"]})["subscribed"] == ["BTC-NEW", "BTC-USD"]
        running.core.configure(running.settings([*SYMBOLS, "BTC-NEW", "SECRETNEW", "BTC-OTHER"]))
        client.event("symbols")
        assert client.ask("subscribe", {"symbols": []})["subscribed"] == ["BTC-NEW", "BTC-USD"]
        assert client.ask("unsubscribe", {"symbols": "*"})["subscribed"] == []
        assert b"SECRET" not in client.wire


def test_a_symbol_that_comes_before_its_channel_is_not_forgotten(running: Relaying) -> None:
    """Whoever subscribes to `*` between the two has it all the same."""
    with closing(RawSocket(running.address)) as client:
        client.join("/", "some")
        client.event("config")
        running.server.engine.subscriptions.registry.pop("BTC-EUR")  # as if it were to be made yet
        assert client.ask("subscribe", {"symbols": "*"})["subscribed"] == ["BTC-USD"]
        running.server._state_changed("symbols")
        running.prices["BTC-EUR"] = 2.5
        while "BTC-EUR" not in [quote["symbol"] for quote in client.event("quotes")]:
            pass


def test_very_many_names_that_there_are_not(running: Relaying) -> None:
    """So many are told apart; what more of them there are is too many, and what there is is subscribed to wherever it stands."""
    with closing(RawSocket(running.address)) as client:
        client.join("/", "some")
        names = [f"{'BTC-' if number % 2 else 'X'}{number}" for number in range(MOST_UNKNOWN + 2)]
        answer = client.ask("subscribe", {"symbols": [*names, "BTC-USD", "SECRETONE"]})
        assert answer["subscribed"] == ["BTC-USD"]
        assert [answer["refused"][name] for name in [*names[:2], *names[-3:], "SECRETONE"]] == [
            "unauthorized", "unknown_symbol", "unknown_symbol", "too_many_symbols", "too_many_symbols", "too_many_symbols"]  # fmt: skip


@pytest.mark.parametrize(("token", "most_hz"), [("all", 20.0), ("slow", 5.0), ("slower", 0.5)])
def test_how_fast(running: Relaying, token: str, most_hz: float) -> None:
    """`max_hz` of the token is what `rate` and `subscribe` are clamped to, and what there is without them."""
    with closing(RawSocket(running.address)) as client:
        client.join("/", token)
        client.event("config")
        assert client.ask("subscribe", {"symbols": ["BTC-USD"]})["max_hz"] == most_hz
        for wish, granted in ((50, most_hz), (1e9, most_hz), (0.2, 0.2)):
            assert client.ask("subscribe", {"symbols": [], "max_hz": wish})["max_hz"] == granted
            assert client.ask("rate", {"max_hz": wish})["max_hz"] == granted
    spaces = {client.spaces.period_ms for client in running.server.engine.clients}
    assert spaces <= {5000.0}


def test_the_slowest_of_several_tokens_counts(running: Relaying) -> None:
    """And it counts for namespaces that never asked for a rate."""
    with closing(RawSocket(running.address)) as client:
        client.join("/BTC-USD", "slow")
        (engine_client,) = running.server.engine.clients
        assert engine_client.spaces.period_ms == 200.0
        client.join("/BTC-EUR", "slower")
        assert engine_client.spaces.period_ms == 2000.0
        client.join("/SECRETONE", "slow")
        assert engine_client.spaces.period_ms == 2000.0


def pass_to(running: Relaying, now_s: float) -> None:
    """Let the wall clock say `now_s`, and wait until the engine has looked at it."""
    engine = running.server.engine
    engine.wall_clock = lambda: now_s
    before = engine.timeouts.next_s
    with EventletRuntime().deadline(PATIENCE_S):
        while engine.timeouts.next_s < before + 0.5:
            EventletRuntime().sleep(0.01)


def test_a_connection_ends_with_its_token(running: Relaying) -> None:
    """With all of its namespaces and a reason of its own; the earliest of several tokens counts, and others' connections go on."""
    with closing(RawSocket(running.address)) as client, closing(RawSocket(running.address)) as other:
        client.join("/", "until 60")
        client.join("/BTC-USD", "until 30")
        client.join("/BTC-EUR", "all")
        other.join("/BTC-USD", "until 31")
        polling = RawPolling(running.address)
        polling.post('40/BTC-USD,{"token":"until 30"}')
        polling.wait("40/BTC-USD")
        pass_to(running, NOW_S + 29.9)
        assert len(running.server.engine.clients) == 3
        pass_to(running, NOW_S + 30)
        ended = client.closing()
        assert (ended.code, ended.reason) == (4008, "token_expired")
        assert polling.request("GET", polling.target) == (400, UNKNOWN_SESSION)
        assert running.server.engine.ledger.closes["token_expired"] == 2
        other.quote("BTC-USD")
        assert len(running.server.engine.clients) == 1
    assert not running.server.engine.timeouts._tokens._ends.keys() - running.server.engine.clients


def test_guesses_over_one_socket_are_throttled(running: Relaying) -> None:
    """Each namespace is a try; after 20 different ones not even the right one opens. One that is tried again and again is one."""
    with closing(RawSocket(running.address)) as client:
        for symbol in [*SYMBOLS, *(f"S{number}" for number in range(MOST_FAILURES))]:
            assert refusal(client.join(f"/{symbol}", "typed wrong")) == "unauthorized"
        assert client.join("/BTC-USD", "all").startswith("40")
        for number in range(MOST_FAILURES - 1):
            assert refusal(client.join("/BTC-EUR", f"guess {number}")) == "unauthorized"
        assert refusal(client.join("/BTC-EUR", "some")) == "too_many_requests"
        assert client.join("/BTC-EUR", "all").startswith("40"), "who is known already need not guess"
        assert client.join("/SECRETONE").startswith("40")
    with pytest.raises(ConnectionRefusedError, match="429"):
        RawSocket(running.address, headers=bearer("all"))


def test_what_a_client_sent_as_its_token_is_not_kept(running: Relaying) -> None:
    """The request that handlers may ask for has no `Authorization`."""
    with closing(RawSocket(running.address, headers=bearer("all"))):
        (client,) = running.server.engine.clients
        assert "HTTP_AUTHORIZATION" not in client.environ
