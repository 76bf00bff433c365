"""Where the engine meets its libraries: Flask-SocketIO works as documented on it."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

import flask
import flask_socketio
import pytest

from tests.conformance.peer import BINARY, Frame, masked
from tests.web.conftest import MakeStand
from tests.web.fanout.stand import Reader, Stand
from ticker.settings import LimitSettings
from web.auth.identity import Identity, Unauthorized
from web.socketio import server
from web.socketio.identify import Identification

NAMESPACES = pytest.mark.parametrize("namespace", ["/", "/chat", "/A"])


@pytest.fixture
def stand(make_stand: MakeStand) -> Stand:
    """A stand with the symbol A, and the namespace /chat with a handler."""
    stand = make_stand()
    stand.add_symbols("A")
    stand.socketio.on_event("hush", lambda: None, namespace="/chat")
    return stand


def head(namespace: str) -> str:
    """What stands before an event's id and JSON."""
    return "42" if namespace == "/" else f"42{namespace},"


# Emitting, as Flask-SocketIO documents it


@NAMESPACES
def test_emit(stand: Stand, namespace: str) -> None:
    """To everybody in a namespace, with any arguments, from outside any handler."""
    with stand.websocket(namespace) as one, stand.websocket(namespace) as other, stand.websocket("/", "/chat", "/A") as third:
        stand.socketio.emit("news", namespace=namespace)
        stand.socketio.emit("news", ({"x": [1, None]}, "y", 1.5), namespace=namespace)
        for reader in (one, other, third):
            assert [reader.text(), reader.text()] == [head(namespace) + '["news"]', head(namespace) + '["news",{"x":[1,null]},"y",1.5]']


@NAMESPACES
def test_emit_to_one_and_to_a_room(stand: Stand, namespace: str) -> None:
    """`to` takes an id or a room, `skip_sid` takes out."""
    with stand.websocket() as one, stand.websocket() as other:
        sids = [reader.join(namespace) for reader in (one, other)]
        for sid in sids:
            stand.server.enter_room(sid, "x", namespace=namespace)
        stand.socketio.emit("only", 1, namespace=namespace, to=sids[0])
        stand.socketio.emit("room", 2, namespace=namespace, to="x", skip_sid=sids[0])
        stand.socketio.emit("all", 3, namespace=namespace)
        assert [one.text(), one.text()] == [head(namespace) + '["only",1]', head(namespace) + '["all",3]']
        assert [other.text(), other.text()] == [head(namespace) + '["room",2]', head(namespace) + '["all",3]']


@NAMESPACES
def test_emit_with_callback(stand: Stand, namespace: str) -> None:
    """The client's acknowledgement comes back, binary ones whole."""
    answers: list[Any] = []
    answered = threading.Event()

    def take(*answer: Any) -> None:
        answers.append(answer)
        if len(answers) == 2:
            answered.set()

    with stand.websocket() as reader:
        sid = reader.join(namespace)
        for number in (1, 2):
            stand.socketio.emit("ask", number, namespace=namespace, to=sid, callback=take)
        assert [reader.text(), reader.text()] == [head(namespace) + '1["ask",1]', head(namespace) + '2["ask",2]']
        where = "" if namespace == "/" else namespace + ","
        reader.say(f'43{where}1["one",{{"a":1}}]', f'461-{where}2[{{"_placeholder":true,"num":0}}]')
        reader.connection.send(masked(BINARY, b"\x01\x02"))
        assert answered.wait(10)
    assert answers == [("one", {"a": 1}), (b"\x01\x02",)]


@NAMESPACES
def test_emit_binary(stand: Stand, namespace: str) -> None:
    """Attachments follow in frames of their own."""
    with stand.websocket(namespace) as reader:
        stand.socketio.emit("file", {"content": b"\x00\xff"}, namespace=namespace)
        where = "" if namespace == "/" else namespace + ","
        assert reader.text() == f'451-{where}["file",{{"content":{{"_placeholder":true,"num":0}}}}]'
        assert reader.connection.frame() == Frame(BINARY, b"\x00\xff")


def test_emit_from_another_task(stand: Stand) -> None:
    """As a scheduler's job does it."""
    with stand.websocket("/") as reader:
        stand.socketio.start_background_task(stand.socketio.emit, "news", 1)
        assert reader.text() == '42["news",1]'


def test_not_a_number_is_null(stand: Stand) -> None:
    """What browsers could not parse is never sent."""
    with stand.websocket("/") as reader:
        stand.socketio.emit("news", [float("nan"), float("inf"), 1.0])
        assert reader.text() == '42["news",[null,null,1.0]]'


# Handlers


def test_handlers(stand: Stand) -> None:
    """They know who asks; what they return is the acknowledgement; `emit` and `send` go to whoever asked."""

    def ask(first: Any, second: Any = None) -> tuple[Any, ...]:
        flask_socketio.emit("told", {"sid": flask.request.sid})  # type: ignore[attr-defined]  # Flask-SocketIO adds it
        flask_socketio.send("plain")
        return first, second

    stand.socketio.on_event("ask", ask, namespace="/chat")
    with stand.websocket() as reader, stand.websocket("/chat"):
        sid = reader.join("/chat")
        reader.say('42/chat,9["ask",{"x":1}]')
        assert [reader.text() for _ in range(3)] == [
            f'42/chat,["told",{{"sid":"{sid}"}}]',
            '42/chat,["message","plain"]',
            '43/chat,9[{"x":1},null]',
        ]


def test_rooms_in_handlers(stand: Stand) -> None:
    """`join_room` works from the connect handler on; `broadcast` and `include_self` are kept."""
    stand.socketio.on_event("connect", lambda: flask_socketio.join_room("lobby"), namespace="/chat")
    stand.socketio.on_event("shout", lambda text: flask_socketio.emit("heard", text, to="lobby", include_self=False), namespace="/chat")
    stand.socketio.on_event("rooms", lambda: sorted(flask_socketio.rooms()), namespace="/chat")
    stand.socketio.on_event("leave", lambda: flask_socketio.leave_room("lobby"), namespace="/chat")
    with stand.websocket() as one, stand.websocket() as other:
        sid, _ = one.join("/chat"), other.join("/chat")
        one.say('42/chat,["shout","hi"]', '42/chat,1["rooms"]')
        assert json.loads(one.text().removeprefix("43/chat,1")) == [sorted([sid, "lobby"])]
        assert other.text() == '42/chat,["heard","hi"]'
        one.say('42/chat,1["leave"]')
        assert one.text() == "43/chat,1[]"
        other.say('42/chat,["shout","anybody?"]', '42/chat,2["rooms"]')
        assert other.text().startswith("43/chat,2")
        one.say('42/chat,1["rooms"]')
        assert one.text() == f'43/chat,1[["{sid}"]]'


def test_the_session_of_a_client(stand: Stand) -> None:
    """`flask.session` is kept from event to event, one a client; so is python-socketio's."""

    def count() -> int:
        flask.session["count"] = flask.session.get("count", 0) + 1
        sid = flask.request.sid  # type: ignore[attr-defined]
        with stand.server.session(sid) as session:
            session["count"] = session.get("count", 0) + 10
            return int(flask.session["count"] + session["count"])

    stand.socketio.on_event("count", count)
    with stand.websocket("/") as one, stand.websocket("/") as other:
        for reader, expected in ((one, 11), (one, 22), (other, 11), (one, 33)):
            reader.say('421["count"]')
            assert reader.text() == f"431[{expected}]"


def test_class_based_namespaces(stand: Stand) -> None:
    """`on_namespace` as documented."""

    class Chat(flask_socketio.Namespace):  # type: ignore[misc]  # Flask-SocketIO has no types
        def on_connect(self) -> None:
            self.emit("welcome", room=flask.request.sid)  # type: ignore[attr-defined]

        def on_ask(self, text: str) -> str:
            return text.upper()

    stand.socketio.on_namespace(Chat("/class"))
    with stand.websocket("/class") as reader:
        assert reader.text() == '42/class,["welcome"]'
        reader.say('42/class,1["ask","x"]')
        assert reader.text() == '43/class,1["X"]'


@pytest.mark.parametrize(("refuse", "payload"), [
    (lambda: False, '"Connection rejected by server"'), (flask_socketio.disconnect, None), (lambda: 1 / 0, '"internal error"'),
    (lambda: raise_refusal("unauthorized", {"code": "unauthorized"}), '"unauthorized","data":{"code":"unauthorized"}'),
])  # fmt: skip
def test_connect_handlers_may_refuse(stand: Stand, caplog: pytest.LogCaptureFixture, refuse: Any, payload: str | None) -> None:
    """CONNECT_ERROR with the handler's words; nothing else is sent there, and the connection stays."""

    def connect() -> Any:
        flask_socketio.join_room("x")
        flask_socketio.emit("too soon", 1)
        return refuse()

    stand.socketio.on_event("connect", connect, namespace="/chat")
    with stand.websocket("/") as reader, caplog.at_level(logging.ERROR):
        reader.say("40/chat,")
        if payload is not None:
            assert reader.text() == f'44/chat,{{"message":{payload}}}'
        else:
            assert reader.text().startswith('40/chat,{"sid":')  # not yet connected, so there was nothing to disconnect
            assert reader.text() == '42/chat,["too soon",1]'
        stand.socketio.emit("unheard", 1, namespace="/chat", to="x" if payload is not None else "nobody")
        reader.echo("still here")
        assert stand.client().namespaces == (1 if payload is not None else 2)
    assert len(caplog.records) == (payload == '"internal error"')


def raise_refusal(*arguments: Any) -> None:
    """Refuse the connection."""
    raise flask_socketio.ConnectionRefusedError(*arguments)


@pytest.mark.parametrize("how", ["hangs up", "leaves", "is sent away", "loses its connection"])
def test_disconnect_handlers(stand: Stand, how: str) -> None:
    """Called once however it ends, with the reason, while request, session and rooms are still there."""
    told: list[tuple[str, Any, list[str]]] = []
    done = threading.Event()

    def disconnect(reason: str) -> None:
        sid = flask.request.sid  # type: ignore[attr-defined]
        told.append((reason, flask.session.get("name"), flask_socketio.rooms()))
        assert flask_socketio.rooms()[0] == sid
        done.set()

    def name(text: str) -> None:
        flask.session["name"] = text
        flask_socketio.join_room("x")

    stand.socketio.on_event("disconnect", disconnect, namespace="/chat")
    stand.socketio.on_event("name", name, namespace="/chat")
    with stand.websocket("/") as reader:
        sid = reader.join("/chat")
        reader.say('42/chat,1["name","Ann"]')
        assert reader.text() == "43/chat,1[]"
        if how == "hangs up":
            reader.say("1")
        elif how == "leaves":
            reader.say("41/chat,")
        elif how == "is sent away":
            stand.server.disconnect(sid, namespace="/chat")
            assert reader.text() == "41/chat,"
        else:
            reader.connection.half_close()
        assert done.wait(10)
    reason = "server disconnect" if how == "is sent away" else "client disconnect"
    assert told == [(reason, "Ann", [sid, "x"])]


def test_handlers_that_fail(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    """Their exception is logged once and ends that event only: no acknowledgement, no disconnect, no word to the client."""
    stand.socketio.on_event("fail", lambda: 1 / 0)
    stand.socketio.on_event("disconnect", lambda reason: 1 / 0)
    with stand.websocket() as reader, caplog.at_level(logging.ERROR):
        sid = reader.join("/")
        reader.say('421["fail"]', '422["fail","too","many"]')
        reader.echo("still here")
        stand.socketio.emit("ask", to=sid, callback=lambda: 1 / 0)
        assert reader.text() == '421["ask"]'
        reader.say("431[]", "41")
        reader.join("/")
        reader.echo("still here")
        reader.say("1")
        assert reader.everything() == ([], 1000)
    assert [record.message for record in caplog.records] == [
        "the handler of 'fail' in / failed",
        "the handler of 'fail' in / failed",
        "the callback of an acknowledgement failed",
        "the handler of 'disconnect' in / failed",
        "the handler of 'disconnect' in / failed",
    ]


def test_error_handlers(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    """`on_error_default` takes what a handler raises, and may answer."""
    stand.socketio.on_error_default(lambda error: f"oh: {error}")
    stand.socketio.on_event("fail", raise_value_error)
    with stand.websocket("/") as reader:
        reader.say('421["fail"]')
        assert reader.text() == '431["oh: of the handler"]'
    assert caplog.records == []


def raise_value_error() -> None:
    """What the engine takes for a malformed packet, were it not a handler's."""
    raise ValueError("of the handler")


def test_a_value_error_of_a_handler_is_not_the_clients_fault(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged and the connection stays, by either transport."""
    stand.socketio.on_event("fail", raise_value_error)
    with stand.websocket("/") as reader, caplog.at_level(logging.ERROR):
        reader.say('42["fail"]')
        reader.echo("still here")
        sid = stand.peer.open_polling()
        assert stand.peer.post(sid, '40\x1e42["fail"]').status == 200
    assert len(caplog.records) == 2


# Namespaces of symbols


def leave(stand: Stand, reader: Reader, sid: str, how: str) -> None:
    """Take a reader out of /A in one of the ways there are."""
    if how == "client":
        reader.say("41/A,")
    elif how == "server":
        stand.server.disconnect(sid, namespace="/A")
    else:
        with stand.engine.turn:
            stand.server.remove_symbol("A")


@pytest.mark.parametrize("how", ["client", "server", "removed"])
def test_leaving_a_symbol(stand: Stand, how: str) -> None:
    """No quote more, no emit more, no room; the other namespaces go on."""
    stand.add_symbols("B")
    with stand.websocket("/", "/B") as reader:
        sid = reader.join("/A")
        stand.server.enter_room(sid, "x", namespace="/A")
        leave(stand, reader, sid, how)
        reader.say('427["echo","done"]')
        expected = {"client": [], "server": ["41/A,"], "removed": ['42/A,["removed",{"symbol":"A"}]', "41/A,"]}[how]
        assert [reader.text() for _ in expected] == expected
        assert reader.text() == '437["done"]'
        stand.socketio.emit("unheard", 1, namespace="/A")
        stand.socketio.emit("unheard", 1, namespace="/A", to="x")
        stand.flush("A", "B")
        assert reader.quote()["symbol"] == "B"
        assert stand.server.manager.get_rooms(sid, "/A") == []


def test_joining_again_is_a_snapshot_again(stand: Stand) -> None:
    """With the newest value, and then updates."""
    with stand.websocket("/A") as reader:
        stand.flush("A")
        reader.quote()
        reader.say("41/A,")
        reader.join("/A")
        assert reader.quote()["snapshot"] is True
        stand.flush("A")
        assert reader.quote()["seq"] == 2


def test_the_gate(make_stand: MakeStand) -> None:
    """It is asked before a symbol is joined; its refusal is a CONNECT_ERROR with the code."""
    asked: list[str] = []

    class Gate(server.NoBoard):
        def gate(self, client: Any, symbol: str) -> tuple[str, str] | None:
            asked.append(symbol)
            return None if len(asked) > 1 else ("too_many_symbols", "enough")

    stand = make_stand(board=Gate())
    stand.add_symbols("A")
    with stand.websocket() as reader:
        reader.say("40/A,", "40/A,")
        assert reader.text() == '44/A,{"message":"enough","data":{"code":"too_many_symbols","symbol":"A"}}'
        assert reader.text().startswith('40/A,{"sid":')
    assert asked == ["A", "A"]


def test_who_sends_a_connect(make_stand: MakeStand) -> None:
    """Asked for each namespace, whether or not there is one of that name; what it may not see is refused before that is said."""
    asked: list[Any] = []

    class Asked(Identification):
        def identify(self, client: Any, auth: Any) -> Identity:
            asked.append(auth)
            if auth is None:
                raise Unauthorized("who are you?")
            return Identity(symbols=("A",))

    stand = make_stand(identification=Asked)
    stand.add_symbols("A")
    with stand.websocket() as reader:
        for namespace in ("/", "/A", "/NOPE", "/chat"):
            reader.say("40" if namespace == "/" else f"40{namespace},")
            assert '{"message":"who are you?","data":{"code":"unauthorized"' in reader.text()
        reader.say('40/A,{"token":"x"}', '40/B,{"token":"x"}', '40/NOPE,{"token":"x"}')
        assert reader.text().startswith('40/A,{"sid":')
        for symbol in ("B", "NOPE"):
            refused = '{"message":"this token may not see that symbol","data":{"code":"unauthorized","symbol":"%s"}}'
            assert reader.text() == f"44/{symbol}," + refused % symbol
    assert asked == [None] * 4 + [{"token": "x"}] * 3


def test_handlers_on_a_symbols_namespace(stand: Stand) -> None:
    """Events of clients there find theirs, after joining."""
    stand.socketio.on_event("ask", lambda text: text, namespace="/A")
    with stand.websocket("/") as reader:
        reader.say('42/A,1["ask","too soon"]')
        reader.join("/A")
        reader.say('42/A,2["ask","x"]')
        assert reader.text() == '43/A,2["x"]'


# Limits


def test_events_a_second(make_stand: MakeStand) -> None:
    """Above `requests_per_s` they are refused, without a handler being asked; far above, the client is closed."""
    stand = make_stand(limits=LimitSettings(requests_per_s=5))
    stand.engine.clock = lambda: 1000.5
    with stand.websocket("/") as reader:
        reader.say(*(f'42{number}["echo",{number}]' for number in range(7)), '42["echo"]')
        assert [reader.text() for _ in range(5)] == [f"43{number}[{number}]" for number in range(5)]
        refusal = json.loads(reader.text().removeprefix("435"))[0]
        assert (refusal["ok"], refusal["code"]) == (False, "too_many_requests")
        assert reader.text().startswith("436[{")
        reader.say(*(['42["echo"]'] * 5 * server.PATIENCE))
        assert reader.everything() == ([], 4006)
    assert stand.engine.ledger.closes == {"too_many_requests": 1}


def test_attachments_are_limited(stand: Stand) -> None:
    """Sixteen a packet; more are malformed."""
    with stand.websocket("/") as reader:
        reader.say('4516-["echo"]')
        reader.connection.send(masked(BINARY, b"x") * 16)
        reader.echo("still here")
        reader.say('4517-["echo"]')
        assert reader.everything() == ([], 4000)
