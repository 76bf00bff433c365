"""The base of every feed that asks over HTTP: its session, and one time limit for all the calls of a poll."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import ClassVar

from feeds.base import Feed
from feeds.http.client import Http
from feeds.http.cookies import Cookies
from feeds.http.limit_headers import remaining_calls
from ticker.rate_limit import Gate, Usage
from ticker.runtime import Runtime
from ticker.settings import PolledSettings


class PolledFeed(Feed):
    """A feed with an `Http` of its own, `http`, on `settings.base_url`: all its calls keep to the limits of `settings.budget`."""

    Settings: ClassVar[type[PolledSettings]] = PolledSettings
    settings: PolledSettings
    gate: Gate

    def __init__(
        self,
        name: str,
        settings: PolledSettings,
        runtime: Runtime,
        headers: Mapping[str, str] | None = None,
        cookies: Cookies | None = None,
    ) -> None:
        super().__init__(name, settings, runtime)
        self.gate = Gate(settings.account(), settings.budget.rates(), runtime)
        self.http = Http(settings, runtime, headers, cookies, self.gate, self.usage)

    def usage(self, headers: Mapping[str, str], now_s: float) -> Iterable[Usage]:
        """What an answer's headers say of the provider's limits; `now_s` is the provider's epoch time. Never raises."""
        return remaining_calls(headers, now_s)

    def poll_ends_s(self) -> float:
        """When a poll that begins now must end, by `time.monotonic()`: the `until_s` of each of its calls."""
        return time.monotonic() + self.settings.timeout_s

    def close(self) -> None:
        self.http.close()
