"""Polygon, Massive's name until 2025-10: the same server.

The hosts `api.polygon.io` and `api.massive.com` answer alike (https://github.com/massive-com/client-python#readme: "api.polygon.io remains
supported for an extended period"). What the old one answers when that period is over, a redirect, is Massive's switch `moved`.
"""

from __future__ import annotations

from typing import ClassVar

from tests.providers.massive import Massive


class Polygon(Massive):
    """`python -m tests.providers polygon`."""

    name: ClassVar[str] = "polygon"
