"""A library that changed is refused at the start, whatever of it is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import socketio

from web.socketio.library_check import RELIED_UPON, RELIED_UPON_IN_AN_INSTANCE, TESTED, LibraryMismatch, check_libraries

ROOT = Path(__file__).parents[3]


def test_the_installed_libraries_are_the_tested_ones() -> None:
    """All that is relied upon is there."""
    check_libraries()


@pytest.mark.parametrize(
    ("owner", "name"), [pytest.param(owner, name, id=f"{owner.__name__}.{name}") for owner, names in RELIED_UPON.items() for name in names]
)
def test_each_name_is_guarded(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """Without it the start is refused, naming it and the versions."""
    definer = next(one for one in getattr(owner, "__mro__", [owner]) if name in vars(one))
    monkeypatch.delattr(definer, name)
    if hasattr(owner, name):  # defined again further up
        monkeypatch.delattr(next(one for one in owner.__mro__ if name in vars(one)), name)
    with pytest.raises(LibraryMismatch) as refused:
        check_libraries()
    assert name in str(refused.value)
    for library_name, number in TESTED.items():
        assert f"{library_name} {number}" in str(refused.value)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        pytest.param(owner, name, id=f"{owner.__module__}.{name}")
        for owner, names in RELIED_UPON_IN_AN_INSTANCE.items()
        for name in names
        if (owner, name) != (socketio.Manager, "server")
    ],
)  # it is set when the manager gets its server, after `__init__`
def test_each_attribute_is_guarded(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """The same for what only an instance has."""
    make = owner.__init__

    def make_without(self: Any, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        vars(self).pop(name, None)

    monkeypatch.setattr(owner, "__init__", make_without)
    with pytest.raises(LibraryMismatch, match=name):
        check_libraries()


def test_other_parameters_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that is still there but takes something else."""
    monkeypatch.setattr(socketio.Server, "_handle_connect", lambda self, eio_sid, namespace, data, more: None)
    with pytest.raises(LibraryMismatch, match="_handle_connect"):
        check_libraries()


def test_serve_refuses_to_start(tmp_path: Path) -> None:
    """In a sentence, without a traceback, with 1."""
    settings = tmp_path / "settings.toml"
    settings.write_text('[feeds.sim]\nkind = "simulated"\n[symbols]\nACME = { feed = "sim" }\n')
    program = (
        "import eventlet; eventlet.monkey_patch()\n"
        "import socketio; del socketio.Server._handle_ack\n"
        f"from cli import main; main(['serve', '--headless', '--port', '0', '--config', {str(settings)!r}])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("error: the installed libraries lack socketio.server.Server._handle_ack\n  installed: flask-socketio ")
    assert "Traceback" not in ended.stderr
