"""JMESPath (https://jmespath.org/specification.html), checked before it runs and with every failure of a run a `FeedError`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult
from jmespath.visitor import TreeInterpreter

from feeds.values.parse import shown
from ticker.errors import FeedError
from ticker.runtime import Turn

WHILE_RUNNING = (JMESPathError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What a search can raise. The library types few of them: a slice with step 0 is a bare `ValueError`, `abs` of odd things a `TypeError`."""

TAKE_REFERENCES = ("map", "max_by", "min_by", "sort_by")
"""The functions that take an expression as it stands, `&…`, for an argument."""


def compiled(expression: str) -> ParsedResult:
    """`expression`, ready to run. Raises `ValueError`, in one line, also for functions that do not exist: the library finds those when
    it first comes to them, which may be never.
    """
    try:
        parsed = jmespath.compile(expression)
    except JMESPathError as error:
        position = getattr(error, "lex_position", None)
        where = f" at character {position + 1}" if isinstance(position, int) and position < len(expression) else " at its end"
        raise ValueError(f"is no JMESPath expression: something is wrong{where if expression else ', it is empty'}") from None
    except RecursionError:
        raise ValueError("is no JMESPath expression for us: nested too deep") from None
    if _has_stray_reference({"children": [parsed.parsed]}):
        raise ValueError(f"has a & in it that finds nothing: it stands before an argument of {', '.join(TAKE_REFERENCES)}")
    for name, arguments in _calls(parsed.parsed):
        if name not in Functions.FUNCTION_TABLE:
            raise ValueError(f"calls {name}(), which JMESPath does not have")
        wanted = Functions.FUNCTION_TABLE[name]["signature"]
        variadic = bool(wanted) and wanted[-1].get("variadic", False)
        if arguments < len(wanted) or (arguments > len(wanted) and not variadic):
            raise ValueError(f"calls {name}() with {arguments} arguments, which takes {len(wanted)}{' or more' * variadic}")
    return parsed


def check_expression(expression: str | None) -> str | None:
    """`expression` if it can be compiled. Raises `ValueError`."""
    if expression is not None:
        compiled(expression)
    return expression


def search(expression: ParsedResult, value: Any, what: str, *, large: bool = False) -> Any:
    """What `expression` finds in `value`; raises `FeedError` where it can't be applied to it. Where that is `large` others have turns."""
    try:
        return _Interpreter().visit(expression.parsed, value) if large else expression.search(value)
    except WHILE_RUNNING as error:
        raise FeedError(f"{what}: the expression fails on this answer ({type(error).__name__})", payload=_shown(value)) from None


class _Interpreter(TreeInterpreter):
    """What the library interprets with, with others' turns between: an expression may go through all rows of an answer."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = Turn()

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        self._turn.step()
        return super().visit(node, *args, **kwargs)


def _calls(node: Any) -> Iterator[tuple[str, int]]:
    """The functions that a syntax tree calls, and with how many arguments."""
    if isinstance(node, dict):
        if node.get("type") == "function_expression":
            yield node["value"], len(node["children"])
        for child in node.get("children", ()):
            yield from _calls(child)


def _has_stray_reference(node: Any) -> bool:
    """Whether some `&…` of a syntax tree stands where no function uses it up: it would be in the result, and is no JSON."""
    takes = node.get("type") == "function_expression" and node.get("value") in TAKE_REFERENCES
    children = [child for child in node.get("children", ()) if isinstance(child, dict)]
    return any((child.get("type") == "expref" and not takes) or _has_stray_reference(child) for child in children)


def _shown(value: Any) -> bytes:
    try:
        return shown(value)
    except (TypeError, ValueError, RecursionError):
        return b""
