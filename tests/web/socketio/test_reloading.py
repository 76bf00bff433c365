"""A reload changes what it says: readers of other symbols miss no update, and nobody is disconnected."""

from __future__ import annotations

from tests.e2e.raw import RawSocket
from tests.web.relaying import relaying
from ticker.errors import FeedError


def test_readers_of_other_symbols_miss_nothing() -> None:
    """Symbols come and go with every update of theirs; not one `seq` is skipped, in the namespace or on the board."""
    others: dict[str, float | FeedError] = {"BOLT": 1.0, "CRUX": FeedError("no price"), "DIVA": 2.0}
    with relaying(["ACME"], {"ACME": 1.0, **others}) as running:
        reader, board = RawSocket(running.address), RawSocket(running.address)
        reader.join("/ACME")
        seq = reader.quote("ACME")["seq"]
        board.join("/")
        board.ask("subscribe", {"symbols": ["ACME"]})
        assert [quote["seq"] for quote in board.event("quotes")] == [seq]
        for step in range(40):
            symbols = ["ACME", *(symbol for place, symbol in enumerate(others) if (step >> place) & 1)]
            running.prices["ACME"] = 2.0 + step
            settings = running.settings(symbols if step % 2 else symbols[::-1])
            running.core.configure(settings)
            running.server.configure(settings)
            quote = reader.quote("ACME")
            assert (quote["seq"], quote["price"]) == (seq + 1, 2.0 + step)
            assert [quote["seq"] for quote in board.event("quotes")] == [seq + 1]
            seq += 1
        assert not running.server.engine.ledger.closes
        for client in (reader, board):
            client.close()
