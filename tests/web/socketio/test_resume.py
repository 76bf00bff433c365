"""What a client says it has is believed only where it can be so; what it then lacks follows, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.fanout.quotes import quote
from web.fanout.flush import Flusher
from web.fanout.outbox import Outbox
from web.fanout.subscriptions import Subscriptions
from web.socketio.resume import resume

TRUE = {"A": 3, "B": 5}


class Side:
    """A server that has sent A up to 3 and B up to 5 and knows C, which has no price; and a client that reads some of them."""

    def __init__(self, *asked: str) -> None:
        self.subscriptions = Subscriptions("e1")
        self.flusher = Flusher(self.subscriptions, lambda: None)
        for symbol in "ABC":
            self.subscriptions.add_channel(symbol)
        self.publish("A", 3)
        self.publish("B", 5)
        self.wire = bytearray()
        self.outbox = Outbox()
        self.outbox.write = self._take
        self.asked = [self.subscriptions.registry[symbol] for symbol in asked]
        for channel in self.asked:
            self.subscriptions.join(self.outbox.board_list(), channel)

    def publish(self, symbol: str, seq: int) -> None:
        """Flush one quote."""
        self.flusher.mark([quote(symbol, seq)])
        self.flusher.flush(0.0)

    def come(self, since: Any) -> tuple[bool, str]:
        """What it is told, and what follows at once."""
        recovered = resume(self.subscriptions, self.outbox.board_list(), self.asked, since)
        self.flusher.settle()
        self.flusher.serve(self.outbox)
        return recovered, self.wire.decode(errors="replace")

    def _take(self, data: bytes | memoryview) -> int:
        self.wire += data
        return len(data)


def test_who_has_everything_is_sent_nothing() -> None:
    """And then every update, without a snapshot between."""
    side = Side("A", "B")
    assert side.come({"epoch": "e1", "seqs": TRUE}) == (True, "")
    side.publish("A", 4)
    assert '"seq":4' in side.wire.decode(errors="replace")
    assert "snapshot" not in side.wire.decode(errors="replace")


def test_only_what_changed_follows() -> None:
    """In one snapshot; so does what it never had."""
    recovered, said = Side("A", "B").come({"epoch": "e1", "seqs": {"A": 2, "B": 5}})
    assert recovered
    assert ('"symbol":"A"' in said, '"symbol":"B"' in said) == (True, False)
    recovered, said = Side("A", "B").come({"epoch": "e1", "seqs": {"B": 5}})
    assert recovered
    assert ('"symbol":"A"' in said, '"symbol":"B"' in said) == (True, False)


def test_what_has_no_price_yet_is_no_hole() -> None:
    """There was nothing to miss; but nobody can have had something of it."""
    side = Side("A", "B", "C")
    assert side.come({"epoch": "e1", "seqs": TRUE}) == (True, "")
    side.publish("C", 1)
    assert '"snapshot":true' in side.wire.decode(errors="replace")
    assert not Side("A", "B", "C").come({"epoch": "e1", "seqs": {**TRUE, "C": 1}})[0]


FORMS: list[Any] = [
    None, True, 7, "e1", [], [["epoch", "e1"]], {}, {"epoch": "e1"}, {"seqs": TRUE}, {"epoch": "e0", "seqs": TRUE},
    {"epoch": None, "seqs": TRUE}, {"epoch": ["e1"], "seqs": TRUE}, {"epoch": "E1", "seqs": TRUE}]  # fmt: skip
SEQS: list[Any] = [
    None, [3, 5], "AB", {**TRUE, "NOPE": 1}, {"a": 3}, {f"S{number}": 1 for number in range(10_000)}, {"A": 3, "C": 1},
    *({"A": 3, "B": seq} for seq in (6, 0, -1, -(10**30), 10**30, 2**63, 5.0, 4.5, 1e300, "5", True, None, [5], {"B": 5}))]  # fmt: skip


@pytest.mark.parametrize("since", [*FORMS, *({"epoch": "e1", "seqs": seqs} for seqs in SEQS)], ids=lambda since: repr(since)[:50])
def test_anything_else_is_not_believed(since: Any) -> None:
    """One part that can't be so, and nothing of it counts: snapshots of all follow."""
    recovered, said = Side("A", "B").come(since)
    assert not recovered
    assert said.count('"snapshot":true') == 2
    assert ('"seq":3' in said, '"seq":5' in said) == (True, True)


def test_of_others_nothing_is_learnt() -> None:
    """A symbol that was not asked for makes it false alike, whether it exists or not and however far it is."""
    for foreign in ({"A": 3}, {"A": 99}, {"NOPE": 1}):
        recovered, said = Side("B").come({"epoch": "e1", "seqs": {"B": 5, **foreign}})
        assert not recovered
        assert ('"symbol":"B"' in said, '"symbol":"A"' in said) == (True, False)
