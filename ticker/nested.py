"""JSON that strangers wrote may be nested as deep as they like."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

_Body = TypeVar("_Body")
_Value = TypeVar("_Value")


def undisturbed(decode: Callable[[_Body], _Value], body: _Body) -> _Value:
    """`decode(body)`, with no collection of garbage meanwhile. Raises what `decode` raises: `RecursionError` where the nesting is too deep.

    Until 3.12 Python collects at any allocation. At the bottom of a deep nesting there is no stack left for what a collection calls
    (`__del__`, weak references' callbacks): it would not be called at all, for objects that have nothing to do with `body`.
    """
    gc.disable()
    try:
        return decode(body)
    finally:
        gc.enable()
