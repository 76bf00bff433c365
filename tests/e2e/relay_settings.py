"""Settings of sources, and of relays behind them."""

from __future__ import annotations

from collections.abc import Sequence


def simulated(*symbols: str, interval_s: float = 0.5, more: str = "") -> str:
    """Settings of a source."""
    lines = "\n".join(f'{symbol} = {{ feed = "sim" }}' for symbol in symbols)
    return f'[feeds.sim]\nkind = "simulated"\ninterval_s = {interval_s}\n{more}\n[symbols]\n{lines}\n'


def relayed(symbols: Sequence[str], **upstreams: str) -> str:
    """Settings of a relay of these upstreams, best first."""
    feeds = "".join(f'[feeds.{name}]\nkind = "relay"\nbase_url = "{url}"\n\n' for name, url in upstreams.items())
    names = ", ".join(f'"{name}"' for name in upstreams)
    return feeds + "[symbols]\n" + "\n".join(f'"{symbol}" = {{ feed = [{names}] }}' for symbol in symbols)
