"""How many files the process may have open, where each client is one: raised as far as possible, and reported where that is not enough."""

from __future__ import annotations

import logging
import resource
from contextlib import suppress
from typing import NamedTuple

from cli.process.failure import fail
from ticker.settings import Settings
from web.http.listener import SPARE_DESCRIPTORS

log = logging.getLogger("tickercast")

OUR_OWN = 32
"""What the server has open itself: its loop, where it listens, its log, modules and settings while they are read."""
_OF_A_FEED = 2
"""Of each feed: a connection, and another where the first is about to be cut."""
_REQUESTS = 512
"""So many requests over HTTP find room beside the clients that have joined."""
_FEWEST_CLIENTS = 16
CURE = "raise it: ulimit -n, LimitNOFILE= (systemd), --ulimit nofile= (Docker)"


class Descriptors(NamedTuple):
    """How many may be open (`hard`: how many that can be raised to), and how many are wanted."""

    soft: int
    hard: int
    least: int
    """With fewer hardly a client finds room."""
    for_clients: int
    """For `limits.max_clients`, and what the server needs itself."""
    wanted: int
    """For those who wait, too, and for requests over HTTP."""


def descriptors(settings: Settings) -> Descriptors:
    """What the process may have, and what `settings` ask for."""
    soft, hard = (_count(limit) for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
    itself = OUR_OWN + SPARE_DESCRIPTORS + _OF_A_FEED * len(settings.feeds)
    for_clients = itself + settings.limits.max_clients
    return Descriptors(soft, hard, itself + _FEWEST_CLIENTS, for_clients, for_clients + settings.limits.max_waiting + _REQUESTS)


def shortage(have: Descriptors) -> str | None:
    """What is wrong, where nothing could be served."""
    if have.hard >= have.least:
        return None
    return f"the process may have {have.hard} files open, and {have.least} are the least that it can work with; {CURE}"


def scarcity(have: Descriptors, settings: Settings) -> str | None:
    """What is odd, where not all who may come find room."""
    if have.hard >= have.for_clients:
        return None
    room = have.hard - (have.for_clients - settings.limits.max_clients)
    return (
        f"limits.max_clients = {settings.limits.max_clients} takes {have.for_clients} open files, and the process may have "
        f"{have.hard}: about {room} clients find room; {CURE}, or lower max_clients"
    )


def provide(settings: Settings) -> None:
    """Have as many as `settings` ask for, as far as the hard limit goes. Ends the process where it could not work with that."""
    have = descriptors(settings)
    fault = shortage(have)
    if fault is not None:
        fail(fault)
    extend(settings)


def extend(settings: Settings) -> None:
    """The same for a process that serves already: it never ends it."""
    have = descriptors(settings)
    most = min(have.wanted, have.hard)
    if have.soft < most:
        with suppress(OSError, ValueError):  # a kernel that allows less than its hard limit says
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            log.debug("%d files may be open now, where it were %d", most, have.soft)
    warning = scarcity(have, settings)
    if warning is not None:
        log.warning("%s", warning)


def _count(limit: int) -> int:
    return 2**31 if limit == resource.RLIM_INFINITY else limit
