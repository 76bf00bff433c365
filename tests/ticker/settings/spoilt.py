"""Settings files that can't come into force, each in another way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

OLD = '[feeds.sim]\nkind = "walk"\n[symbols]\nA = { feed = "sim" }\n'
MORE = OLD + 'B = { feed = "sim" }\n'


def truncated(path: Path) -> None:
    """As an editor that was interrupted leaves it."""
    path.write_text(MORE[:-9])


def huge(path: Path) -> None:
    """A gigabyte, of which the file system stores nothing."""
    path.write_text(MORE)
    with path.open("r+b") as file:
        file.truncate(1 << 30)


def linked_to_itself(path: Path) -> None:
    """A loop of links."""
    path.symlink_to(path)


def not_a_number(path: Path) -> None:
    """An interval that TOML allows."""
    path.write_text(MORE.replace('"walk"', '"walk"\ninterval_s = nan'))


def doubled(path: Path) -> None:
    """One symbol on two lines."""
    path.write_text(MORE + 'B = { feed = "sim" }\n')


def a_folder(path: Path) -> None:
    """No file at all."""
    path.mkdir()


SPOILERS: list[Callable[[Path], None]] = [truncated, huge, linked_to_itself, not_a_number, doubled, a_folder]


def remove(path: Path) -> None:
    """Whatever stands there."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink()
