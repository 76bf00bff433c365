"""Which names `calendar` may have: `24/7`, `24/5`, and the calendars of the package exchange_calendars where it is installed."""

from __future__ import annotations

import ast
import difflib
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ALWAYS_OPEN = "24/7"
"""The calendar of a market that never shuts; it needs no package."""
CURRENCY_WEEK = "24/5"
"""The week of currencies; it needs no package either, only the time zones that the machine knows, or the package tzdata."""
NEW_YORK = "America/New_York"
BUILT_IN = frozenset((ALWAYS_OPEN, CURRENCY_WEEK))
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
    if name == CURRENCY_WEEK:
        _check_time_zones(name)
    if name in BUILT_IN or (NAME.fullmatch(name) and (known is None or name in known)):
        return name
    examples = f'"{ALWAYS_OPEN}", "{CURRENCY_WEEK}" for currencies, or the market identifier code of an exchange, like "XNYS"'
    nearest = difflib.get_close_matches(name.upper(), sorted(known or ()), n=1)
    raise ValueError(f"must be {examples}" + (f'; did you mean "{nearest[0]}"?' if nearest else ""))


def _check_time_zones(name: str) -> None:
    try:
        ZoneInfo(NEW_YORK)
    except ZoneInfoNotFoundError:
        raise ValueError(f'"{name}" goes by the clock of New York, and this machine knows no time zones: pip install tzdata') from None
