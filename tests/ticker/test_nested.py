"""Nonsense from one stranger leaves no trace in what has nothing to do with it."""

from __future__ import annotations

import gc
import json
import sys
import weakref
from collections.abc import Callable, Iterator
from functools import partial

import msgspec
import pytest

from ticker.nested import undisturbed

DEEP = '{"a":[' * 2_000


class Node:
    """In a circle with itself: freed by the collector alone."""

    def __init__(self) -> None:
        self.itself = self


def _tell(told: list[object], watch: object) -> None:
    told.append(watch)


@pytest.fixture
def collection_due() -> Iterator[Callable[[int], None]]:
    """Makes a collection due after so many allocations. All that was there before is left out of it, which makes it quick."""
    threshold = gc.get_threshold()
    gc.freeze()
    yield lambda allocations: gc.set_threshold(allocations, *threshold[1:])
    gc.set_threshold(*threshold)
    gc.unfreeze()


@pytest.mark.parametrize("decode", [json.loads, msgspec.json.decode])
def test_garbage_is_told_even_while_the_stack_is_full(decode: Callable[[str], object], collection_due: Callable[[int], None]) -> None:
    """Nesting beyond the stack, with a collection due at each of the deepest levels: each weak reference is told that its object went."""
    untold = []
    for allocations in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit() + 50):
        told: list[object] = []
        gc.collect()
        node = Node()
        watch = weakref.ref(node, partial(_tell, told))
        del node
        collection_due(allocations)
        with pytest.raises(RecursionError):
            undisturbed(decode, DEEP)
        gc.collect()
        if told != [watch]:
            untold.append(allocations)
    assert untold == []


def test_collection_goes_on_afterwards() -> None:
    """Whatever became of the body."""
    assert undisturbed(json.loads, "[1]") == [1]
    assert gc.isenabled()
    with pytest.raises(ValueError, match="Expecting"):
        undisturbed(json.loads, "[")
    assert gc.isenabled()
