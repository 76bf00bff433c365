"""What is fuzzed: a target takes any bytes, and raises only for a bug; what a parser refuses in its own words is caught within."""

from __future__ import annotations

from functools import cache

from tests.fuzz.of_feeds import feed_targets
from tests.fuzz.of_fields import field_target
from tests.fuzz.of_http import http_targets
from tests.fuzz.of_server import server_targets
from tests.fuzz.of_words import word_targets
from tests.fuzz.target import Target


@cache
def targets() -> dict[str, Target]:
    """All, by name."""
    return feed_targets() | {"fields": field_target()} | http_targets() | server_targets() | word_targets()
