"""docs/protocol.md and the code say the same: close codes, fields of a quote, codes of refusals, limits."""

import re
from pathlib import Path

from ticker.quote import Quote
from ticker.settings.model import BroadcastSettings, LimitSettings
from web.fanout.close_reasons import CloseReason

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading, up to the next one of its kind."""
    _, _, rest = PAGE.partition(f"\n## {title}\n")
    assert rest, title
    return rest.partition("\n## ")[0]


def words(text: str) -> set[str]:
    """Everything that is set as code, one word at a time."""
    return set(re.findall(r"`(\w+)`", text))


def test_every_close_code_is_told() -> None:
    """With its number and its word; the only one without a line of its own is the client's good-bye."""
    told = set(re.findall(r"^\| (\d{4}) \| `(\w+)` \|", section("When the server closes"), re.MULTILINE))
    assert told == {(str(reason.code), reason.word) for reason in CloseReason if reason is not CloseReason.CLIENT}


def test_every_field_of_a_quote_is_told() -> None:
    """And none that does not exist. What a source says of its own state stays inside."""
    rows = re.findall(r"^\| (`[^|]+`) \|", section("A quote"), re.MULTILINE)
    assert words(" ".join(rows)) == set(Quote.__struct_fields__) - {"upstream_state"} | {"snapshot", "epoch"}


def test_every_limit_that_is_named_exists() -> None:
    """Names of settings are those of settings.toml, and every limit that clients can meet is named."""
    named = set(re.findall(r"`(?:limits\.)(\w+)`", PAGE))
    assert named <= LimitSettings.model_fields.keys()
    assert LimitSettings.model_fields.keys() <= named | words(PAGE)
    assert set(re.findall(r"`broadcast\.(\w+)`", PAGE)) <= BroadcastSettings.model_fields.keys()


def test_every_code_of_a_refusal_is_told() -> None:
    """The codes that the server's sources hand to clients."""
    files = ("socketio/board.py", "api/rest.py", "socketio/server.py")
    sources = "".join((ROOT / "web" / name).read_text(encoding="utf-8") for name in files)
    given = set(re.findall(r'"((?:unknown|too_many|already|bad|no)_\w+)"', sources))
    assert given >= {"unknown_symbol", "too_many_symbols", "too_many_clients", "too_many_requests", "bad_request", "no_price_yet"}
    told = words(PAGE) | set(re.findall(r'code: "(\w+)"', PAGE))
    assert given <= told
