"""Of the process: which version it is, whether it has anything to offer, how its last reload went, and whether its log is read."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.registry import Collector

from ticker import __version__
from ticker.core import Core
from web.api.rest import unready
from web.metrics.families import counter, gauge, gauges


class AboutCollector(Collector):
    """Reads what the core and the log say of themselves."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def collect(self) -> Iterator[Metric]:
        """All families."""
        reload = self._core.config_state()
        yield gauges(
            "build_info", "1; the labels say what is running.", ["version", "python"], [([__version__, platform.python_version()], 1)]
        )
        yield gauge("ready", "Whether /readyz says 200.", unready(self._core) is None)
        yield gauge("config_last_reload_successful", "Whether the last settings that were read are in force.", reload.ok)
        yield gauge("config_last_reload_timestamp_seconds", "When settings were last read; at first, the start.", reload.at / 1000)
        yield gauge("config_restart_required", "How many settings wait for a restart.", len(reload.restart_required))
        yield counter(
            "log_lines_lost",
            "Lines of the log that stderr did not take, or not fast enough.",
            sum(getattr(handler, "lost", 0) for handler in logging.root.handlers),
        )
