"""Who is in which namespace and room, as python-socketio sees it: emits reach exactly those, and leaving costs what one was in."""

from __future__ import annotations

import sys
from itertools import count
from types import FrameType
from typing import Any

import pytest

from ticker.settings import BroadcastSettings, LimitSettings
from web.auth.authenticator import Authenticator
from web.fanout.client import Client, payload_of
from web.fanout.close_reasons import CloseReason
from web.fanout.engine import Engine
from web.http.origins import origin_check
from web.runtime import EventletRuntime
from web.socketio.admission import Admission
from web.socketio.identify import Identification
from web.socketio.manager import NamespaceManager
from web.socketio.server import SocketIOServer


class Club:
    """A server whose loop does not run, with clients made by hand."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.engine = Engine(EventletRuntime(), "e1", BroadcastSettings(), LimitSettings(), 10, 25)
        admission, identification = Admission(self.engine, Authenticator()), Identification(Authenticator(), self.engine)
        self.server = SocketIOServer(self.engine, admission, identification, origin_check([]), ping_interval=10, ping_timeout=25)
        self.members: NamespaceManager = self.server.manager
        self.engine.subscriptions.add_channel("A")

    def client(self, *namespaces: str) -> Client:
        """One that has joined `namespaces`."""
        number = next(self.numbers)
        client = Client(
            self.server.eio, f"secret{number}", f"public{number}", {"REMOTE_ADDR": "127.0.0.1"}, "websocket", self.engine.clock()
        )
        self.server.eio.sockets[client.sid] = client
        self.server.environ[client.sid] = client.environ
        self.engine.admit(client)
        for namespace in namespaces:
            self.join(client, namespace)
        return client

    def join(self, client: Client, namespace: str) -> str:
        """Have it join; returns its id there."""
        sid = client.public_id + namespace
        channel = self.engine.subscriptions.registry.get(namespace[1:])
        if channel is not None:
            self.members.clients[client.public_id] = client
            self.engine.subscriptions.join(client.spaces, channel)
        else:
            assert self.members.pre_connect(client.sid, namespace) == sid
            self.members.connect(sid, namespace)
        return sid

    def sent(self, *clients: Client) -> list[list[Any]]:
        """What waits for each client, as text or bytes; it is then gone."""
        everything = []
        for client in clients:
            frames = client.frames(self.engine.subscriptions.number, self.engine.subscriptions.registry)
            client.accepted(sum(map(len, frames)))
            everything.append([payload.decode() if is_text else payload for is_text, payload in map(payload_of, frames)])
        return everything


@pytest.fixture
def club() -> Club:
    """An empty one, where the symbol A is known."""
    return Club()


NAMESPACES = pytest.mark.parametrize("namespace", ["/", "/chat", "/A"])


def prefix(namespace: str) -> str:
    """What stands before an event's JSON."""
    return "42" if namespace == "/" else f"42{namespace},"


@NAMESPACES
def test_an_emit_reaches_the_namespace(club: Club, namespace: str) -> None:
    """All its members, and nobody else."""
    inside, outside = [club.client(namespace) for _ in range(3)], [club.client(), club.client("/other")]
    club.members.emit("news", {"x": 1}, namespace)
    assert club.sent(*inside) == [[prefix(namespace) + '["news",{"x":1}]']] * 3
    assert club.sent(*outside) == [[], []]


@NAMESPACES
def test_an_emit_to_one(club: Club, namespace: str) -> None:
    """An id is a room of its own."""
    one, other = club.client(namespace), club.client(namespace)
    club.members.emit("news", None, namespace, to=one.public_id + namespace)
    assert club.sent(one, other) == [[prefix(namespace) + '["news"]'], []]


@NAMESPACES
def test_rooms(club: Club, namespace: str) -> None:
    """Entering, leaving, closing; several rooms are their union, each member once; `skip_sid` takes one or several out."""
    clients = [club.client(namespace) for _ in range(4)]
    sids = [client.public_id + namespace for client in clients]
    for index, room in ((0, "x"), (1, "x"), (1, "y"), (2, "y")):
        club.members.enter_room(sids[index], namespace, room)

    def reached(**to: Any) -> list[int]:
        club.members.emit("news", 1, namespace, **to)
        return [index for index, packets in enumerate(club.sent(*clients)) for _ in packets]

    assert reached(room="x") == [0, 1]
    assert reached(to=["x", "y"]) == [0, 1, 2]
    assert reached(to=["x", sids[3], sids[0]]) == [0, 1, 3]
    assert reached(to="x", skip_sid=sids[0]) == [1]
    assert reached(skip_sid=[sids[0], sids[2]]) == [1, 3]
    assert reached(to="nobody") == []
    assert sorted(club.members.get_rooms(sids[1], namespace)) == sorted([sids[1], "x", "y"])
    club.members.leave_room(sids[1], namespace, "x")
    assert reached(to="x") == [0]
    club.members.close_room("y", namespace)
    assert reached(to="y") == []
    assert club.members.get_rooms(sids[1], namespace) == [sids[1]]


@NAMESPACES
def test_rooms_that_are_none(club: Club, namespace: str) -> None:
    """Only members enter, and a member's own room is nobody else's."""
    one, stranger = club.client(namespace), club.client("/other")
    sid = one.public_id + namespace
    with pytest.raises(ValueError, match="not connected"):
        club.members.enter_room(stranger.public_id + namespace, namespace, "x")
    other = club.client(namespace)
    with pytest.raises(ValueError, match="sid room"):
        club.members.enter_room(other.public_id + namespace, namespace, sid)
    with pytest.raises(ValueError, match="sid room"):
        club.members.close_room(sid, namespace)
    club.members.enter_room(sid, namespace, sid)
    assert club.members.get_rooms(sid, namespace) == [sid]
    assert club.members.get_rooms("nobody" + namespace, namespace) == []


def test_rooms_of_two_namespaces(club: Club) -> None:
    """Two rooms of one name are two rooms."""
    client = club.client("/", "/chat")
    club.members.enter_room(client.public_id + "/", "/", "x")
    club.members.emit("news", 1, "/chat", to="x")
    assert club.sent(client) == [[]]


@NAMESPACES
def test_callbacks(club: Club, namespace: str) -> None:
    """Each recipient's packet has an id of its own, and its answer is called back once."""
    clients = [club.client(namespace) for _ in range(2)]
    answers: list[tuple[Any, ...]] = []
    for _ in range(2):
        club.members.emit("ask", 7, namespace, callback=lambda *answer: answers.append(answer))
    head = prefix(namespace)
    assert club.sent(*clients) == [[f'{head}1["ask",7]', f'{head}2["ask",7]']] * 2
    sid = clients[0].public_id + namespace
    for number in (2, 2, 1, 99):
        club.members.trigger_callback(sid, number, ["a", number])
    assert answers == [("a", 2), ("a", 1)]


def test_binary(club: Club) -> None:
    """Attachments follow their packet; several arguments come from a tuple."""
    client = club.client("/")
    club.members.emit("file", ({"a": b"\x01"}, [b"\x02", "x"]), "/")
    assert club.sent(client) == [['452-["file",{"a":{"_placeholder":true,"num":0}},[{"_placeholder":true,"num":1},"x"]]', b"\x01", b"\x02"]]


@NAMESPACES
def test_one_frame_for_all(club: Club, namespace: str) -> None:
    """An event is encoded once, and all its recipients hold the same bytes."""
    clients = [club.client(namespace) for _ in range(3)]
    club.members.emit("news", "x" * 1000, namespace)
    frames = [client.frames(0, club.engine.subscriptions.registry)[0] for client in clients]
    assert len({id(framed) for framed in frames}) == 1


def test_what_a_connect_handler_emits_waits(club: Club) -> None:
    """It comes behind the answer to CONNECT, or not at all where that is a refusal; rooms can be entered already."""
    accepted, refused = club.client(), club.client()
    for client in (accepted, refused):
        sid = club.members.pre_connect(client.sid, "/chat")
        assert sid is not None
        assert not club.members.is_connected(sid, "/chat")
        club.members.enter_room(sid, "/chat", "x")
        club.members.emit("to one", 1, "/chat", to=sid)
        club.members.emit("to the room", 2, "/chat", to="x")
    assert club.sent(accepted, refused) == [[], []]
    club.members.connect(accepted.public_id + "/chat", "/chat")
    club.members.disconnect(refused.public_id + "/chat", "/chat")
    assert club.sent(accepted, refused) == [['42/chat,["to one",1]', '42/chat,["to the room",2]', '42/chat,["to the room",2]'], []]
    assert (accepted.namespaces, refused.namespaces) == (1, 0)
    assert club.members.pre_connect(accepted.sid, "/chat") is None


def test_whoever_is_leaving_is_sent_nothing(club: Club) -> None:
    """Its disconnect handler still finds it, an emit does not."""
    client, other = club.client("/chat"), club.client("/chat")
    sid = client.public_id + "/chat"
    club.members.enter_room(sid, "/chat", "x")
    assert club.members.pre_disconnect(sid, "/chat") == client.sid
    assert not club.members.is_connected(sid, "/chat")
    assert club.members.sid_from_eio_sid(client.sid, "/chat") == sid
    assert club.members.eio_sid_from_sid(sid, "/chat") == client.sid
    assert "x" in club.members.get_rooms(sid, "/chat")
    for to in (None, "x", sid):
        club.members.emit("bye", 1, "/chat", to=to)
    assert club.sent(client, other) == [[], ['42/chat,["bye",1]']]


@NAMESPACES
def test_leaving_leaves_nothing(club: Club, namespace: str) -> None:
    """Neither membership nor rooms nor acknowledgements due; a later namesake starts anew."""
    client = club.client(namespace, "/other")
    sid = client.public_id + namespace
    club.members.enter_room(sid, namespace, "x")
    club.members.emit("ask", 1, namespace, callback=print)
    club.members.disconnect(sid, namespace)
    club.members.disconnect(sid, namespace)
    assert not club.members.is_connected(sid, namespace)
    assert club.members.callbacks == {}
    assert club.members.sid_from_eio_sid(client.sid, namespace) is None
    assert not client.spaces.channels
    assert club.members.get_namespaces() == ["/other"]
    assert client.namespaces == 1
    club.sent(client)
    club.join(client, namespace)
    assert club.members.get_rooms(sid, namespace) == [sid]
    club.members.emit("news", 1, namespace, to="x")
    assert club.sent(client) == [[]]


def test_a_client_that_is_gone_leaves_nothing(club: Club) -> None:
    """In no namespace, the symbols' among them."""
    client = club.client("/", "/chat", "/A")
    for namespace in ("/", "/chat", "/A"):
        club.members.enter_room(client.public_id + namespace, namespace, "x")
        club.members.emit("ask", 1, namespace, callback=print)
    club.engine.close(client, CloseReason.CLIENT)
    assert club.members.get_namespaces() == []
    assert club.members.callbacks == {}
    assert club.members.clients == {}
    for namespace in ("/", "/chat", "/A"):
        assert list(club.members.get_participants(namespace, "x")) == []
        assert not club.members.is_connected(client.public_id + namespace, namespace)
    assert club.server.environ == {}


class Steps:
    """Counts the lines of manager.py that run: what a call costs, whatever the machine."""

    def __enter__(self) -> Steps:
        self.lines = 0
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.endswith("manager.py"):
            return None
        self.lines += event == "line"
        return self._trace


def test_leaving_does_not_depend_on_the_others(club: Club) -> None:
    """The same work with one other member and with two thousand, in as many rooms."""
    lines = []
    for others in (1, 2000):
        for number in range(others):
            other = club.client("/chat")
            club.members.enter_room(other.public_id + "/chat", "/chat", f"room {number}")
            club.members.enter_room(other.public_id + "/chat", "/chat", "all")
        client = club.client("/chat")
        club.members.enter_room(client.public_id + "/chat", "/chat", "all")
        with Steps() as steps:
            club.members.disconnect(client.public_id + "/chat", "/chat")
        lines.append(steps.lines)
    assert lines[0] == lines[1] > 0
