"""A figure beside its bound, as a row of a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rich.table import Table


class Figure(NamedTuple):
    """`value` of `what`, which must be at most (or, where `at_least`, at least) `bound`; `bound` `None`: shown for its own sake."""

    what: str
    value: float
    unit: str
    bound: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bound is kept; `None` where there is none."""
        if self.bound is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def cells(self) -> tuple[str, str, str, str, str]:
        """What is measured, the figure, its bound, the verdict, the note."""
        bound = "" if self.bound is None else f"{'≥' if self.at_least else '≤'} {_number(self.bound)} {self.unit}"
        return self.what, f"{_number(self.value)} {self.unit}", bound, {True: "met", False: "MISSED", None: ""}[self.met], self.note


def shown(title: str, figures: Iterable[Figure]) -> Table:
    """For the terminal."""
    table = Table("", "measured", "bound", "", "note", title=title, title_justify="left")
    for figure in figures:
        table.add_row(*figure.cells(), style="red" if figure.met is False else "")
    return table


def markdown(title: str, figures: Iterable[Figure]) -> str:
    """For the results page."""
    rows = "\n".join(f"| {' | '.join(figure.cells())} |" for figure in figures)
    return f"## {title}\n\n| | measured | bound | | |\n| --- | --- | --- | --- | --- |\n{rows}\n"


def _number(value: float) -> str:
    """Three digits or so: never rounded to the side of its bound that it is not on by more than half of the last one."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
