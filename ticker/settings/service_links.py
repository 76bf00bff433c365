"""Variables that Kubernetes and Docker make of the names of services: where one is called `tickercast`, they begin as ours do.

Kubernetes gives every container those of all Services of its namespace (`TICKERCAST_SERVICE_HOST`, `TICKERCAST_PORT=tcp://…`, of a Service
`tickercast-redis` `TICKERCAST_REDIS_PORT_6379_TCP_ADDR`), Docker's links the same and `…_NAME` and `…_ENV_…`. Nobody wrote them, so nobody
need hear of them. Ours have two underscores between table and key, which these never have in front of what they end with.
"""

from __future__ import annotations

import re

_OTHER_SERVICE = r"(?:[A-Z0-9]+_)*"
_PROTOCOL = r"(?:TCP|UDP|SCTP)"
_LINKS = tuple(
    (re.compile(_OTHER_SERVICE + name), re.compile(value))
    for name, value in (
        (r"SERVICE_HOST", r"\S+"),
        (r"SERVICE_PORT(?:_[A-Z0-9_]+)?", r"\d+"),
        (rf"PORT(?:_\d+_{_PROTOCOL})?", r"(?:tcp|udp|sctp)://\S+"),
        (rf"PORT_\d+_{_PROTOCOL}_(?:ADDR|PROTO|PORT|START|END|PORT_START|PORT_END)", r"\S+"),
        (r"NAME", r"/\S+"),
        (r"ENV_.+", r"(?s:.*)"),
    )
)


def is_link(name: str, value: str) -> bool:
    """Whether a variable, whose `name` is given without our prefix, was made so."""
    return any(of_name.fullmatch(name) and of_value.fullmatch(value) for of_name, of_value in _LINKS)
