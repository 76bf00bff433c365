"""For a symbol that we can't spell: the line that gives it another name here and its own at the feed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ticker import symbols
from ticker.settings.describe import key_part, toml
from ticker.settings.model import SYMBOL_KEYS, SymbolOptions

_UNSPELLABLE = re.compile(r"[^A-Za-z0-9.\-_=^/:+]+")
_UNSHOWN = "X"
"""Put before a name of which nothing is left that a symbol may begin with."""
LONGEST_ID = next(item.max_length for item in SymbolOptions.model_fields["id"].metadata if hasattr(item, "max_length"))


def hint(symbol: str, feeds: Sequence[str], values: Mapping[str, Any] | None = None, taken: Collection[str] = ()) -> str:
    """What to write in place of `symbol`, which `ticker.symbols.check` refuses: another name, and its own as the id at each of `feeds`.

    `values` are those of its line, which are kept; `taken` are the names that there are already.
    """
    if not symbol or len(symbol) > LONGEST_ID or not symbol.isprintable() or not feeds:
        return ""
    line: dict[str, Any] = {"feed": feeds[0] if len(feeds) == 1 else list(feeds)}
    line |= {key: value for key, value in (values or {}).items() if key in SYMBOL_KEYS and key != "feed"}
    for feed in feeds:
        options = (values or {}).get(feed)
        line[feed] = {"id": symbol, **options} if isinstance(options, dict) else options if isinstance(options, str) else symbol
    return f"give it another name here: {key_part(alias(symbol, taken))} = {toml(line)}"


def alias(symbol: str, taken: Collection[str] = ()) -> str:
    """A name for `symbol` that can be spelt, as near to it as can be, and none of `taken`."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", symbol.strip()) if not unicodedata.combining(char))
    name = "/".join(part for part in _UNSPELLABLE.sub("_", plain).split("/") if part.strip("."))
    name = (name if re.match(r"[A-Za-z0-9^]", name) else _UNSHOWN + name)[: symbols.MAX_LENGTH].rstrip("/")
    found, number = name, 2
    while found in taken or symbols.check(found) is not None:
        found, number = f"{name[: symbols.MAX_LENGTH - 4].rstrip('/')}_{number}", number + 1
    return found
