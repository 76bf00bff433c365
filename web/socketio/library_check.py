"""The guard against library upgrades: every name of our libraries that their documentation does not promise, or that we override.

They are used in `server.py`, `manager.py` and `engineio_server.py`, eventlet's in `web/runtime.py`. `check_libraries` refuses to start
where one is missing.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import engineio
import flask_socketio
import socketio

from web import runtime

TESTED = {"flask-socketio": "5.7.0", "python-socketio": "5.18.1", "python-engineio": "4.15.1", "eventlet": "0.41.3"}

RELIED_UPON: dict[Any, tuple[str, ...]] = {
    flask_socketio.SocketIO: ("init_app", "on", "on_event", "emit"),
    flask_socketio: ("_SocketIOMiddleware",),
    socketio.Server: ("_engineio_server_class", "_handle_eio_message", "_handle_connect", "_handle_disconnect", "_handle_event",
                      "_handle_event_internal", "_handle_ack", "_handle_eio_connect", "_handle_eio_disconnect", "_send_packet",
                      "_trigger_event", "on", "get_environ", "reason"),
    socketio.Manager: ("pre_connect", "connect", "is_connected", "can_disconnect", "sid_from_eio_sid", "eio_sid_from_sid",
                       "pre_disconnect", "disconnect", "get_participants", "get_namespaces", "emit", "enter_room", "leave_room",
                       "close_room", "get_rooms", "is_sid_room", "set_server", "_generate_ack_id", "trigger_callback"),
    socketio.packet.Packet: ("encode", "decode", "add_attachment"),
    engineio.packet.Packet: ("encode",),
    engineio.Server: ("handle_request", "_trigger_event", "generate_id", "send", "send_packet", "disconnect", "get_session", "on",
                      "reason"),
    **runtime.RELIED_UPON,
}  # fmt: skip
RELIED_UPON_IN_AN_INSTANCE: dict[Any, tuple[str, ...]] = {
    socketio.Server: ("eio", "manager", "handlers", "namespace_handlers", "environ", "packet_class",
                      "_binary_packet", "async_handlers", "not_handled"),
    engineio.Server: ("handlers", "sockets", "ping_interval", "ping_timeout"),
    socketio.Manager: ("callbacks", "server"),
}  # fmt: skip


class LibraryMismatch(Exception):
    """An installed library lacks a name that the engine builds on."""


def check_libraries() -> None:
    """Raises `LibraryMismatch`, naming what is missing and the versions that were tested."""
    missing = [f"{_name_of(owner)}.{name}" for owner, names in RELIED_UPON.items() for name in names if not hasattr(owner, name)]
    if not missing:
        parameters = tuple(inspect.signature(socketio.Server._handle_connect).parameters)
        if parameters != ("self", "eio_sid", "namespace", "data"):
            missing.append(f"the known parameters of {_name_of(socketio.Server)}._handle_connect")
        try:
            stock = socketio.Server(async_mode=runtime.ASYNC_MODE, monitor_clients=False)
            for instance in (stock, stock.eio, stock.manager):
                missing += [
                    f"{_name_of(type(instance))}().{name}"
                    for name in RELIED_UPON_IN_AN_INSTANCE[type(instance)]
                    if not hasattr(instance, name)
                ]
        except AttributeError as error:
            missing.append(f"{_name_of(type(error.obj))}().{error.name}")
    if missing:
        installed = ", ".join(f"{name} {version(name)}" for name in TESTED)
        tested = ", ".join(f"{name} {number}" for name, number in TESTED.items())
        raise LibraryMismatch(
            f"the installed libraries lack {', '.join(missing)}\n  installed: {installed}\n  tested:    {tested}\n"
            "  mend it with: make setup"
        )


def _name_of(owner: Any) -> str:
    return owner.__name__ if inspect.ismodule(owner) else f"{owner.__module__}.{owner.__qualname__}"
