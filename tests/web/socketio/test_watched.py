"""What clients read is told once for each burst of changes, whatever way they read it."""

from collections.abc import Collection, Iterator

import pytest

from tests.web.fanout.stand import Stand


class Told:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.lists: list[Collection[str] | None] = []
        self.matters = True

    def watch(self, symbols: Collection[str] | None) -> None:
        """Remember it."""
        self.lists.append(symbols)


class Bench:
    """A fan-out with three symbols, and what it tells."""

    def __init__(self) -> None:
        self.told = Told()
        self.stand = Stand(watching=self.told)
        self.stand.add_symbols("A", "B", "C")
        self.stand.start()

    def next(self) -> Collection[str] | None:
        """What is told next."""
        before = len(self.told.lists)
        while len(self.told.lists) == before:
            self.stand.breathe()
        return self.told.lists[-1]


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Stopped in the end."""
    bench = Bench()
    yield bench
    bench.stand.stop()


def test_a_namespace_is_watched_while_somebody_is_in_it(bench: Bench) -> None:
    """The first reader of a symbol is news, and so is that the last one left."""
    with bench.stand.websocket("/A"):
        assert bench.next() == {"A"}
        with bench.stand.websocket("/A", "/B"):
            while bench.next() != {"A", "B"}:
                pass
        while bench.next() != {"A"}:
            pass
    while bench.next() != set():
        pass


def test_the_board_is_watched_too(bench: Bench) -> None:
    """By name, or all of it; before and after the lists are sorted into cohorts."""
    subscriptions = bench.stand.engine.subscriptions
    with bench.stand.websocket("/C"):
        bench.next()
        reading_list = bench.stand.client().board_list()
        subscriptions.join(reading_list, subscriptions.registry["B"])
        assert subscriptions.read() == {"B", "C"}
        bench.stand.flush("A")
        assert bench.next() == {"B", "C"}
        subscriptions.join_everything(reading_list)
        assert subscriptions.read() is None
        bench.stand.flush("A")
        assert bench.next() is None
        subscriptions.leave_everything(reading_list)
        assert bench.next() == {"C"}


def test_a_burst_of_changes_is_told_once(bench: Bench) -> None:
    """However many there are in it."""
    for _ in range(1000):
        bench.stand.watched.changed()
    assert bench.next() == set()
    assert len(bench.told.lists) == 1


def test_nothing_is_found_out_where_it_does_not_matter(bench: Bench) -> None:
    """Until a feed goes by interest."""
    bench.told.matters = False
    bench.stand.watched.changed()
    while bench.stand.watched._waiting:
        bench.stand.breathe()
    assert bench.told.lists == []
