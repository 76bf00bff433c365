"""The first rows of the page's table, sent along with its document: prices stand there before the table's code has arrived.

They are what the server knew when it answered, with its clock beside them. The page shows them as prices that nobody vouches for, and drops
them once the connection has brought its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from urllib.parse import parse_qs

import msgspec

from ticker import wire
from ticker.clock import Clock
from ticker.core import Core

MOST_ROWS = 60
"""More than most screens show. What is below them nobody misses in that second."""

FirstRows = Callable[[bytes, bool], bytes]
"""Of the query of the page's address, and whether somebody else's page asks: JSON that may stand in a document, empty where there is
nothing to show."""


def first_rows(core: Core, clock: Clock, is_open: Callable[[], bool]) -> FirstRows:
    """What makes them. `is_open`: whether everybody may read everything; a browser that asks for a document sends no token."""

    def rows_for(query: bytes, is_foreign: bool) -> bytes:
        if not is_open():
            return b""
        symbols = list(islice(_asked_for(core, query), MOST_ROWS))
        quotes = [core.quotes[symbol] for symbol in symbols if symbol in core.quotes]
        if not quotes:
            return b""
        if not is_foreign:  # the page itself will ask
            core.watching.read(symbols)
        rows = wire.FirstRows(epoch=core.epoch, server_time=clock.now_ms(), symbols=core.symbols_state(symbols), quotes=quotes)
        return msgspec.json.encode(rows).replace(b"<", rb"\u003c")  # no name can end the element that the rows stand in

    return rows_for


def _asked_for(core: Core, query: bytes) -> Iterator[str]:
    """The symbols that the page's address asks for, `?symbols=A,B&group=X`, in the settings' order.

    The page shows those of them that its view lets pass (a search; the reader's last view, where the address names none): what is first of
    all of them is first of those too. It shows none where it is sorted.
    """
    asked = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    listed = {symbol for symbol in asked.get("symbols", [""])[0].split(",") if symbol}
    group = asked.get("group", [""])[0] or None
    return (
        symbol
        for symbol, settings in core.symbols.items()
        if (not listed or symbol in listed) and (group is None or group in settings.group)
    )
