"""Polygon.io by its old name: what `massive` is, at the host of before.

`GET https://api.polygon.io/v2/snapshot/locale/us/markets/stocks/tickers?tickers=KO` (https://massive.com/docs/rest/stocks/snapshots/full-market-snapshot):

    {"count":1,"status":"OK","tickers":[{"ticker":"KO","day":{…},"lastQuote":{…},"lastTrade":{…},"min":{…},"prevDay":{…}, …}]}

Since 2025-10-30 it is called Massive. Keys, paths and answers are the same, and "api.polygon.io remains supported for an extended period"
(https://github.com/massive-com/client-python#readme): feeds of this kind go on as they are. Where the old host comes to redirect to the
new one, that is not followed, for the key goes with it: `base_url` has to name the new one, or `kind = "massive"`.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, HttpUrl

from feeds.base import About
from feeds.massive import Massive, MassiveSettings
from ticker.settings import PolledSettings


class PolygonSettings(MassiveSettings):
    """`[feeds.NAME]` of kind `polygon`."""

    base_url: HttpUrl = Field(HttpUrl("https://api.polygon.io"), description="scheme, host and path prefix of the provider")


class Polygon(Massive):
    """`kind = "polygon"`."""

    kind = "polygon"
    about = About(
        brings="`massive` by its old name",
        ids="as `massive`",
        limits="as `massive`",
        key="as `massive`: a key",
        delay="as `massive`",
        time="as `massive`",
        market="as `massive`",
    )
    Settings: ClassVar[type[PolledSettings]] = PolygonSettings
