"""The base of every feed that asks over HTTP: its session, and one time limit for all the calls of a poll."""

from __future__ import annotations

import time
from typing import ClassVar

from feeds.base import Feed
from feeds.http import Http
from ticker.runtime import Runtime
from ticker.settings import PolledSettings


class PolledFeed(Feed):
    """A feed with an `Http` of its own, `http`, on `settings.base_url`."""

    Settings: ClassVar[type[PolledSettings]] = PolledSettings
    settings: PolledSettings

    def __init__(self, name: str, settings: PolledSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self.http = Http(settings, runtime)

    def poll_ends_s(self) -> float:
        """When a poll that begins now must end, by `time.monotonic()`: the `until_s` of each of its calls."""
        return time.monotonic() + self.settings.timeout_s

    def close(self) -> None:
        self.http.close()
