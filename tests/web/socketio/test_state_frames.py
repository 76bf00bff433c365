"""State events: a frame for all who see the same, not one a client, and no more frames than are worth keeping."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.web.fanout.clients import newcomer
from tests.web.relaying import Relaying
from ticker.settings.reload import Reload
from web.auth.identity import ANYBODY, Identity
from web.auth.visible import NOT_TOLD
from web.fanout.client import Client, payload_of
from web.socketio.state_frames import MOST_KEPT, StateFrames

SYMBOLS = ["BTC-USD", "BTC-EUR", "AAPL"]


class Stand:
    """State frames of a relay that does not poll, and members that nobody sends anything to."""

    def __init__(self) -> None:
        self.running = Relaying(SYMBOLS, {})
        self.frames = StateFrames(self.running.core)
        self.members: dict[str, Client] = {}

    def join(self, *identities: Identity) -> None:
        """One member each."""
        for identity in identities:
            client = newcomer(self.running.server.engine, len(self.members))
            client.board_identity = identity
            self.members[client.public_id] = client


@pytest.fixture
def stand() -> Stand:
    """With nobody there."""
    return Stand()


def told(frame: bytes) -> Any:
    """The payload of an event."""
    return json.loads(payload_of(frame)[1].removeprefix(b"42"))[1]


def test_one_frame_for_all_who_see_the_same(stand: Stand) -> None:
    """Whatever their tokens look like: tokens of one list, and lists that come to the same; each member has its own."""
    some, same, comes_to_the_same = (Identity(("BTC-*",), expires_s=1), Identity(("BTC-*",), max_hz=5), Identity(("*C-EUR", "BTC-USD")))
    stand.join(ANYBODY, some, Identity(max_hz=1), same, comes_to_the_same, Identity(("AAPL",)))
    frames = [frame for _, frame in stand.frames.anew("symbols", stand.members)]
    assert [[entry["symbol"] for entry in told(frame)] for frame in frames] == [
        SYMBOLS, SYMBOLS[:2], SYMBOLS, SYMBOLS[:2], SYMBOLS[:2], ["AAPL"]]  # fmt: skip
    assert len({id(frame) for frame in frames}) == 3
    assert stand.frames.of("symbols", same) is frames[1], "who joins later gets the very one"


@pytest.mark.parametrize("name", ["feeds", "config"])
def test_of_feeds_and_settings_there_are_two(stand: Stand, name: str) -> None:
    """All, and what is fit for whoever may not see all."""
    stand.join(ANYBODY, *(Identity((f"S{number}",)) for number in range(10)))
    stand.running.core.report_reload(Reload(False, 1, "symbols.AAPL"))
    frames = [frame for _, frame in stand.frames.anew(name, stand.members)]
    assert len(frames) == 11
    assert len({id(frame) for frame in frames}) == 2
    if name == "config":
        assert [told(frame)["error"] for frame in frames[:2]] == ["symbols.AAPL", NOT_TOLD]


def test_no_more_are_kept_than_are_worth_it(stand: Stand) -> None:
    """However many see each something else; everybody's stays."""
    symbols = [f"S{number}" for number in range(MOST_KEPT + 10)]
    stand.running.core.configure(stand.running.settings(symbols))
    identities = [Identity((symbol,)) for symbol in symbols]
    stand.join(*identities)
    frames = [frame for _, frame in stand.frames.anew("symbols", stand.members)]
    assert [told(frame)[0]["symbol"] for frame in frames] == symbols
    for identity, symbol in zip(identities, symbols, strict=True):
        assert [entry["symbol"] for entry in told(stand.frames.of("symbols", identity))] == [symbol]
    assert len(stand.frames._kept["symbols"]) == MOST_KEPT
    assert None in stand.frames._kept["symbols"]


def test_whoever_joins_meanwhile_is_told_too(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others run while it is worked out what somebody sees."""
    seen = stand.frames._seen
    late = Identity(("AAPL",))

    def others_run(name: str, identity: Identity) -> Any:
        if len(stand.members) == 1:
            stand.join(late)
        return seen(name, identity)

    stand.join(Identity(("BTC-*",)))
    monkeypatch.setattr(stand.frames, "_seen", others_run)
    assert [(client.board_identity is late, len(told(frame))) for client, frame in stand.frames.anew("symbols", stand.members)] == [
        (False, 2),
        (True, 1),
    ]
