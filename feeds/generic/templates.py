"""Texts of the settings with places for symbols and secrets in them: paths, headers, bodies. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ticker.settings.describe import nearest

SYMBOL, SYMBOLS = "symbol", "symbols"
SECRETS = ("api_key", "api_secret")
KNOWN = (SYMBOL, SYMBOLS, *SECRETS)

_PLACE = re.compile(r"\{([^{}]*)\}")
# A body may be in a language that has braces of its own, GraphQL say: there only a name we know is a place.
_PLACE_IN_BODY = re.compile(r"\{([a-z_]+)\}")
_SECRET_KEY = re.compile(r"(api|access|auth|private)[_-]?(key|token|secret)|secret|password|passwd|authorization", re.IGNORECASE)
MOST_LEVELS = 20


def places(template: str) -> list[str]:
    """The names between braces."""
    return _PLACE.findall(template)


def check_places(template: str) -> None:
    """Raises `ValueError` for a name between braces that stands for nothing."""
    for name in places(template):
        if name not in KNOWN:
            raise ValueError(f"has {{{name}}} in it; there are {', '.join(f'{{{one}}}' for one in KNOWN)}")


def filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with values in the places."""
    return _PLACE.sub(lambda match: values.get(match[1], ""), template)


def places_in(body: Any) -> set[str]:
    """The places in the texts of a JSON value."""
    return {name for text in _texts(body) for name in _PLACE_IN_BODY.findall(text) if name in KNOWN}


def check_body(body: Any) -> None:
    """Raises `ValueError` for what JSON can't carry, a place that was probably meant and is none, and a secret."""
    _check_value(body, "body")
    for text in _texts(body):
        for name in _PLACE_IN_BODY.findall(text):
            if name not in KNOWN and (meant := nearest(name, KNOWN)) is not None:
                raise ValueError(f"has {{{name}}} in it; did you mean {{{meant}}}? With a space behind the brace it stands as it is")


def filled_body(body: Any, values: Mapping[str, str], symbols: Sequence[str]) -> bytes:
    """`body` as JSON with values in the places; a text that is `{symbols}` and nothing else becomes the array of them."""
    return json.dumps(_filled_value(body, values, symbols), ensure_ascii=False, separators=(",", ":")).encode()


def _filled_value(value: Any, values: Mapping[str, str], symbols: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled_value(inner, values, symbols) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled_value(inner, values, symbols) for inner in value]
    if value == f"{{{SYMBOLS}}}":
        return list(symbols)
    return _PLACE_IN_BODY.sub(lambda match: values.get(match[1], match[0]), value) if isinstance(value, str) else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _check_value(value: Any, where: str, level: int = 0) -> None:
    if level > MOST_LEVELS:
        raise ValueError(f"is nested more than {MOST_LEVELS} deep")
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and _SECRET_KEY.fullmatch(key) and not set(_PLACE_IN_BODY.findall(inner)) & set(SECRETS):
                raise ValueError(f"holds a secret, {key}: write {{api_key}} there and set it in the environment")
            _check_value(inner, f"{where}.{key}", level + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_value(inner, where, level + 1)
    elif not isinstance(value, str | bool | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"has a value in it that JSON does not have, in {where}: write it as a string")
