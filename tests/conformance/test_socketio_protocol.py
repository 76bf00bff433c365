"""Socket.IO protocol, revision 5, checked from its text on raw frames. https://github.com/socketio/socket.io-protocol (Readme.md)"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.conformance.peer import BINARY, TEXT, Address, Client, Connection, Frame, masked, send_text


@pytest.fixture
def client(server: Address) -> Client:
    """Requests to Socket.IO."""
    return Client(server, "/socket.io/")


@pytest.fixture
def fresh(client: Client) -> Iterator[Connection]:
    """A WebSocket that has joined nothing."""
    connection, _ = client.open_websocket()
    with connection:
        yield connection


@pytest.fixture
def joined(fresh: Connection) -> Connection:
    """A WebSocket that has joined the main namespace and been greeted."""
    send_text(fresh, "40")
    assert fresh.frame().text.startswith("40{")
    assert fresh.frame().text == '42["auth",{}]'
    return fresh


def say(connection: Connection, packet: str, *attachments: bytes) -> None:
    """Send a packet with its attachments."""
    connection.send(masked(TEXT, packet) + b"".join(masked(BINARY, attachment) for attachment in attachments))


# Connection to a namespace


@pytest.mark.parametrize(("sent", "namespace", "auth"), [
    ("40", "", "{}"), ('40{"token":"123"}', "", '{"token":"123"}'), ("40/custom,", "/custom,", "{}"), ("40/custom", "/custom,", "{}"),
    ('40/custom,{"token":"abc"}', "/custom,", '{"token":"abc"}'), ("40/custom?ignored=1,", "/custom,", "{}"), ("40{}", "", "{}"),
])  # fmt: skip
def test_connect(fresh: Connection, sent: str, namespace: str, auth: str) -> None:
    """The answer carries an id and nothing else; what the connect handler emits comes behind it."""
    send_text(fresh, sent)
    answer = fresh.frame().text
    assert answer.startswith(f"40{namespace}{{")
    payload = json.loads(answer.removeprefix(f"40{namespace}"))
    assert list(payload) == ["sid"]
    assert isinstance(payload["sid"], str)
    assert fresh.frame().text == f'42{namespace}["auth",{auth}]'


def test_the_socket_id_is_not_the_session_id(client: Client) -> None:
    """Who knows a Socket.IO id can't speak for its session."""
    connection, opened = client.open_websocket()
    with connection:
        send_text(connection, "40")
        sid = json.loads(connection.frame().text[2:])["sid"]
        assert sid[:12] not in opened["sid"]
        assert opened["sid"] not in sid
        assert client.poll(sid).status == 400


@pytest.mark.parametrize("namespace", ["/random", "/custom/", "/CUSTOM", "//", "/cust%6fm"])
def test_unknown_namespaces_are_refused(fresh: Connection, namespace: str) -> None:
    """With an object that has a message; the connection stays."""
    send_text(fresh, f"40{namespace},", "40")
    assert fresh.frame().text == f'44{namespace},{{"message":"Invalid namespace"}}'
    assert fresh.frame().text.startswith("40{")


def test_joining_twice_is_refused(joined: Connection) -> None:
    """There is one membership a namespace, and the first is not disturbed."""
    send_text(joined, "40", '42["message","still here"]')
    assert joined.frame().text.startswith('44{"message":"already joined"')
    assert joined.frame().text == '42["message-back","still here"]'


@pytest.mark.parametrize("packet", ['42["message",1]', "41", "43[]", '42/custom,["x"]', '430["x"]', "4abc", "4", '45["x"]', "47"])
def test_anything_before_connect_closes(fresh: Connection, packet: str) -> None:
    """The first packet must be CONNECT."""
    send_text(fresh, packet)
    assert fresh.frame().code == 4000
    assert fresh.rest() == b""


def test_who_joins_nothing_is_closed(impatient: Address) -> None:
    """In time, though it answers pings. Who joined stays, as long as it answers them."""
    client = Client(impatient, "/socket.io/")
    (member, _), (idler, _) = client.open_websocket(), client.open_websocket()
    with member, idler:
        send_text(member, "40")
        assert member.frame().text.startswith("40{")
        assert member.frame().text == '42["auth",{}]'
        assert idler.frame().text == "2"
        send_text(idler, "3")
        assert idler.frame().code == 4003
        for _ in range(2):
            assert member.frame().text == "2"
            send_text(member, "3")


# Sending and receiving, acknowledgement


@pytest.mark.parametrize("arguments", [
    '1,"2",{"3":[true]}', "null", '""', "[]", "-0.5", "9007199254740993", '"\\u0000\\ud83d\\ude00"', '{"a":{"b":{}}}',
])  # fmt: skip
def test_events(joined: Connection, arguments: str) -> None:
    """Any JSON comes back as it was."""
    send_text(joined, f'42["message",{arguments}]')
    came = joined.frame().text
    assert came.startswith('42["message-back",')
    assert json.loads(came[2:]) == ["message-back", *json.loads(f"[{arguments}]")]


def test_events_without_arguments(joined: Connection) -> None:
    """An event is its name at least."""
    send_text(joined, '42["message"]', '4212["message-with-ack"]')
    assert joined.packets(2) == ['42["message-back"]', "4312[]"]


def test_binary_events(joined: Connection) -> None:
    """Placeholders in the text, attachments behind it, in their order."""
    say(joined, '452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', b"\x01\x02\x03", b"\x04\x05\x06")
    assert joined.frame().text == '452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
    assert [joined.frame(), joined.frame()] == [Frame(BINARY, b"\x01\x02\x03"), Frame(BINARY, b"\x04\x05\x06")]


def test_binary_event_with_nothing_attached(joined: Connection) -> None:
    """It is complete at once."""
    send_text(joined, '450-["message","x"]')
    assert joined.frame().text == '42["message-back","x"]'


@pytest.mark.parametrize("number", [0, 1, 456, 2**53])
def test_acknowledgements(joined: Connection, number: int) -> None:
    """The same id comes back with the handler's arguments."""
    send_text(joined, f'42{number}["message-with-ack",1,"2",{{"3":[false]}}]')
    assert joined.frame().text == f'43{number}[1,"2",{{"3":[false]}}]'


def test_binary_acknowledgements(joined: Connection) -> None:
    """Attachments go the same way in an ack."""
    say(joined, '452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', b"\x01\x02\x03", b"\x04\x05\x06")
    assert joined.frame().text == '462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
    assert [joined.frame(), joined.frame()] == [Frame(BINARY, b"\x01\x02\x03"), Frame(BINARY, b"\x04\x05\x06")]


def test_order(joined: Connection) -> None:
    """A thousand events in one segment come back in their order."""
    send_text(joined, *(f'42["message",{number}]' for number in range(1000)))
    assert joined.packets(1000) == [f'42["message-back",{number}]' for number in range(1000)]


@pytest.mark.parametrize("packet", [
    "4abc", "47", "49[]", "4\u0663[]", "42{}", "42", "42[]", '42"message"', "42null", "42[null]", "42[true]", "42[{}]", '42[["message"]]',
    '42["message"',
    '42abc["message-with-ack"]', '42-1["message"]', '421.5["message"]', '42' + "1" * 101 + '["message"]',
    "43[]", '43{"0":1}', '430{"0":1}', "44{}", '44{"message":"x"}', "40[]", '40"token"', '451["message"]x', '4599999999999-["message"]',
    '45999-["message"]', '421-["message"]', '42["connect"]', '42["disconnect"]', '42["connect_error"]', "42" + "[" * 100_000,
    '42["message",' + "[" * 20_000 + "]" * 20_000 + "]",
])  # fmt: skip
def test_malformed_packets_close(joined: Connection, packet: str) -> None:
    """With our code, and nothing else is said about it."""
    send_text(joined, packet)
    assert joined.until_close().code == 4000
    assert joined.rest() == b""


@pytest.mark.parametrize(("packet", "attachments"), [
    ('451-["message",{"_placeholder":true,"num":1}]', [b"x"]), ('451-["message",{"_placeholder":true,"num":"x"}]', [b"x"]),
    ('451-["message",{"_placeholder":true,"num":-2}]', [b"x"]), ("", [b"x"]), ("42[\"message\"]", [b"2"]),
])  # fmt: skip
def test_malformed_attachments_close(joined: Connection, packet: str, attachments: list[bytes]) -> None:
    """The same for attachments that fit nothing."""
    say(joined, packet or "6", *attachments)
    assert joined.until_close().code == 4000


def test_text_where_an_attachment_is_due_closes(joined: Connection) -> None:
    """Attachments follow their packet at once."""
    send_text(joined, '452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', '42["message"]')
    assert joined.until_close().code == 4000


def test_an_ack_for_nothing_is_ignored(joined: Connection) -> None:
    """Nobody asked, nobody minds."""
    send_text(joined, '4399["x"]', '43/custom,1["x"]', '42["message","still here"]')
    assert joined.frame().text == '42["message-back","still here"]'


def test_events_nobody_handles_are_ignored(joined: Connection) -> None:
    """In a joined namespace and in one that is not; a number is a name, too, in the reference implementation."""
    send_text(joined, '42["unheard-of",1]', "42[7]", '42/custom,["message",1]', '42/random,["message",1]', '42["message","still here"]')
    assert joined.frame().text == '42["message-back","still here"]'


# Disconnection


def test_disconnect_from_the_main_namespace(joined: Connection) -> None:
    """No answer; the connection lives on, and may join again."""
    send_text(joined, "41", '42["message","unheard"]', "40")
    assert joined.frame().text.startswith("40{")
    assert joined.frame().text == '42["auth",{}]'


def test_disconnect_from_a_custom_namespace(joined: Connection) -> None:
    """The other namespaces are not touched."""
    send_text(joined, "40/custom,")
    assert joined.frame().text.startswith("40/custom,{")
    assert joined.frame().text == '42/custom,["auth",{}]'
    send_text(joined, "41/custom,", '42["message","message to main namespace"]')
    assert joined.frame().text == '42["message-back","message to main namespace"]'


def test_disconnect_from_where_one_is_not(joined: Connection) -> None:
    """It changes nothing."""
    send_text(joined, "41/custom,", "41/random,", '42["message","still here"]')
    assert joined.frame().text == '42["message-back","still here"]'


# Over long polling


def test_a_session_by_polling(client: Client) -> None:
    """CONNECT, events and attachments are the same packets in a body."""
    sid = client.open_polling()
    assert client.post(sid, "40\x1e40/custom,").text == "ok"
    packets: list[str] = []
    while len(packets) < 4:
        packets += client.poll(sid).text.split("\x1e")
    assert [packet.partition("{")[0] for packet in packets] == ["40", "40/custom,", '42["auth",', '42/custom,["auth",']
    assert client.post(sid, '42["message","x"]\x1e451-7["message-with-ack",{"_placeholder":true,"num":0}]\x1ebAQID').text == "ok"
    assert client.poll(sid).text == '42["message-back","x"]\x1e461-7[{"_placeholder":true,"num":0}]\x1ebAQID'
    assert client.post(sid, "42{}").status == 400
    assert client.poll(sid).status == 400


def test_a_session_that_upgrades(client: Client) -> None:
    """Memberships outlive the change of transport; nothing is lost between the two."""
    sid = client.open_polling()
    client.post(sid, "40")
    assert client.poll(sid).text.startswith("40{")
    assert client.poll(sid).text == '42["auth",{}]'
    with client.websocket(sid) as connection:
        send_text(connection, "2probe")
        assert connection.frame().text == "3probe"
        client.post(sid, '42["message","by polling"]')
        send_text(connection, "5", '42["message","by WebSocket"]')
        assert connection.packets(2) == ['42["message-back","by polling"]', '42["message-back","by WebSocket"]']


def test_five_hundred_namespaces_in_one_body(client: Client) -> None:
    """Answers are handed out at most 16 packets a poll, which is what the Python client takes."""
    sid = client.open_polling()
    assert client.post(sid, "\x1e".join(f"40/{number}," for number in range(500))).text == "ok"
    answers: list[str] = []
    while len(answers) < 500:
        packets = client.poll(sid).text.split("\x1e")
        assert len(packets) <= 16
        answers += packets
    assert answers == [f'44/{number},{{"message":"Invalid namespace"}}' for number in range(500)]
