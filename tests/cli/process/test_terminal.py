"""Whether SIGHUP came because the terminal was closed: real pseudo-terminals and pipes, stepped time."""

from __future__ import annotations

import os
import pty
import signal
from collections.abc import Iterator

import pytest

from cli.process.terminal import CLOSED_S, Terminal


class Window:
    """A terminal that can be closed, and a pipe whose reader is gone."""

    def __init__(self) -> None:
        self._ours, self.tty = pty.openpty()
        reader, self.pipe = os.pipe()
        os.close(reader)
        self.is_open = True

    def close(self) -> None:
        """Close the terminal's window."""
        if self.is_open:
            os.close(self._ours)
            self.is_open = False


@pytest.fixture
def window() -> Iterator[Window]:
    """One that is closed in the end."""
    window = Window()
    yield window
    window.close()
    os.close(window.tty)
    os.close(window.pipe)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_terminal_is_closed(window: Window, place: int) -> None:
    """Whichever stream it is: `serve 2>&1 | tee log` has it as stdin only."""
    streams = [window.pipe] * 3
    streams[place] = window.tty
    terminal = Terminal(streams, os.isatty)
    assert not terminal.was_closed(0.0)
    window.close()
    assert terminal.was_closed(100.0)


def test_the_shell_takes_its_time(window: Window) -> None:
    """The signal comes by way of it, some time after the end of the terminal was seen."""
    terminal = Terminal([window.tty], os.isatty)
    window.close()
    terminal.look(100.0)
    assert terminal.was_closed(100.0 + CLOSED_S - 0.1)


def test_a_program_that_outlives_its_terminal(window: Window) -> None:
    """As after `disown`: who sends SIGHUP a day later means the settings."""
    terminal = Terminal([window.tty], os.isatty)
    terminal.look(0.0)
    window.close()
    terminal.look(0.25)
    terminal.look(100.0)
    assert not terminal.was_closed(86_400.0)


def test_the_reader_of_a_pipe_is_no_terminal(window: Window) -> None:
    """It may be gone for days."""
    assert not Terminal([window.pipe] * 3, os.isatty).was_closed(0.0)


def test_nohup(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts it so that SIGHUP is ignored wants it to go on, also where a terminal is among its streams."""
    monkeypatch.setattr(signal, "getsignal", {signal.SIGHUP: signal.SIG_IGN}.get)
    terminal = Terminal([window.tty], os.isatty)
    window.close()
    assert not terminal.was_closed(0.0)


def test_a_terminal_that_is_not_the_process_own(window: Window) -> None:
    """As after `setsid`: it is written to, and its end is told to others."""
    terminal = Terminal([window.tty])
    window.close()
    assert not terminal.was_closed(0.0)
