"""An endpoint that nobody knows: whatever path is asked for, it answers what it was told to.

Switches: `"body": "…"`, `"type": "text/csv"`, `"status": 200`. Without a body: `{"id":…,"last":…}` of a price that moves, by the last part
of the path. There are no limits, and nothing is recorded.
"""

from __future__ import annotations

from typing import ClassVar

from tests.providers.wire import Provider, Reply, Request


class Endpoint(Provider):
    """`python -m tests.providers http_json`."""

    name: ClassVar[str] = "http_json"

    def answer(self, request: Request) -> Reply:
        switches = self.control.switches
        if "body" in switches:
            return Reply(switches.get("status", 200), switches["body"].encode(), {"Content-Type": switches.get("type", "application/json")})
        id = request.path.rpartition("/")[2]
        return Reply.json({"id": id, "last": self.price(id).last})
