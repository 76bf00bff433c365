"""A key in the spellings in which providers' software gives it back."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote

KEY = "Zq7Sec9retKxWv+Tn4Lpq8Rz/Jm5Yd3&Bh=x"
"""It has what addresses, JSON, HTML and base64 each write in their own way."""


def _based(before: str, url: bool = False) -> str:
    code = base64.urlsafe_b64encode if url else base64.b64encode
    return code(f"{before}{KEY}".encode()).decode()


SPELLINGS = {
    "as it is": KEY,
    "percent": quote(KEY, safe=""),
    "percent in lower case": KEY.replace("+", "%2b").replace("/", "%2f").replace("&", "%26").replace("=", "%3d"),
    "percent with the slash kept": quote(KEY, safe="/"),
    "percent but for the plus": quote(KEY, safe="+"),
    "percent, the plus alone": KEY.replace("+", "%2B"),
    "percent, every character": "".join(f"%{ord(char):02X}" for char in KEY),
    "percent of percent": quote(quote(KEY, safe=""), safe=""),
    "html": html.escape(KEY),
    "html, decimal": KEY.replace("+", "&#43;").replace("/", "&#47;"),
    "html, hexadecimal": KEY.replace("+", "&#x2b;").replace("/", "&#X2F;"),
    "html, names": KEY.replace("+", "&plus;").replace("/", "&sol;").replace("=", "&equals;"),
    "html of percent": html.escape(quote(KEY, safe="/")).replace("%", "&#37;"),
    "json, the slash": KEY.replace("/", "\\/"),
    "json, large": KEY.replace("+", "\\u002B").replace("&", "\\u0026"),
    "json, small": KEY.replace("+", "\\u002b").replace("=", "\\u003d"),
    "json, every character": "".join(f"\\u{ord(char):04x}" for char in KEY),
    "json in json": json.dumps(json.dumps(KEY).replace("/", "\\/")),
    "c": KEY.replace("+", "\\x2b").replace("/", "\\x2F"),
    "base64": _based(""),
    "base64 behind one": _based(":"),
    "base64 behind two": _based("u:"),
    "base64 of user and key": _based("user:"),
    "base64 for addresses": _based("me:", url=True),
    "base64 in an address": quote(_based("user:"), safe=""),
    "capitals": KEY.upper(),
    "small letters": KEY.lower(),
    "hex": KEY.encode().hex(),
    "large hex": KEY.encode().hex().upper(),
    "cut short": KEY[:13],
    "cut very short": KEY[:6],
    "its end": KEY[-14:],
    "its middle": KEY[9:22],
    "with letters that are not seen": "\u200b".join(KEY),
    "as utf-16": KEY.encode("utf-16-le").decode("latin-1"),
}


def traces(spelt: str) -> list[str]:
    """What of a spelling nobody must see anywhere: its longer runs of letters; where it has none, its ends."""
    runs = "".join(char if char.isalnum() else " " for char in spelt).split()
    long = [run for run in runs if len(run) >= 6]
    return long or [spelt[:12], spelt[-12:]]
