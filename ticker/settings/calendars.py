"""Which names `calendar` may have: `24/7`, and the calendars of the package exchange_calendars where it is installed."""

from __future__ import annotations

import ast
import difflib
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ALWAYS_OPEN = "24/7"
"""The calendar of a market that never shuts; it needs no package."""
PACKAGE = "exchange_calendars"
NAME = re.compile(r"[A-Za-z0-9_/]{2,20}")


@cache
def known_calendars() -> frozenset[str] | None:
    """The names of the package's calendars and their other names; `None` where it is not installed.

    They are read from its source. To import it would take half a second and 60 MB, for a name.
    """
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        return None
    tree = ast.parse((Path(found.origin).parent / "calendar_utils.py").read_text(encoding="utf-8"))
    tables = [node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)]
    keys = [key for table in tables for key in table.keys if isinstance(key, ast.Constant)]
    return frozenset(key.value for key in keys if isinstance(key.value, str))


def check(name: str) -> str:
    """`name`, if a calendar can be called that. Raises `ValueError` with the nearest name there is."""
    known = known_calendars()
    if name == ALWAYS_OPEN or (NAME.fullmatch(name) and (known is None or name in known)):
        return name
    examples = f'"{ALWAYS_OPEN}", or the market identifier code of an exchange, like "XNYS"'
    nearest = difflib.get_close_matches(name.upper(), sorted(known or ()), n=1)
    raise ValueError(f"must be {examples}" + (f'; did you mean "{nearest[0]}"?' if nearest else ""))
