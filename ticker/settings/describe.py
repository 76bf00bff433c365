"""Types, bounds and keys of the model in plain words: what error messages and `docs/settings.md` say a value must be."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as at
from pydantic import AnyUrl, BaseModel, HttpUrl, SecretStr
from pydantic.fields import FieldInfo

from ticker.settings.table import CURRENCY_CODE, NO_CONTROL_CHARACTERS, NO_SPACES, listed

SHOWN_LENGTH = 80
_PATTERNS = {
    NO_CONTROL_CHARACTERS: "without control characters",
    NO_SPACES: "without spaces",
    CURRENCY_CODE: "of 2 to 10 letters or digits",
}
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CREDENTIALS = re.compile(r"//[^/@\s]*@")


def expectation(field: FieldInfo) -> str:
    """What a value of `field` must be, to follow "must be": `a whole number from 0 to 65535`."""
    return _type(field.annotation, field.metadata)


def item_expectation(field: FieldInfo) -> str:
    """The same of one item of a list."""
    members = get_args(field.annotation) if get_origin(field.annotation) in (Union, types.UnionType) else (field.annotation,)
    items = [get_args(member)[0] for member in members if get_origin(member) in (list, tuple)]
    return _type(items[0]) if items else expectation(field)


def _type(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        nested = [item for extra in arguments[1:] for item in (extra.metadata if isinstance(extra, FieldInfo) else [extra])]
        return _type(arguments[0], [*nested, *metadata])
    if origin in (Union, types.UnionType):
        return " or ".join(_type(member, metadata) for member in arguments if member is not type(None))
    if origin is Literal:
        choices = ", ".join(toml(value) for value in arguments)
        return f"{choices}, the only choice for now" if len(arguments) == 1 else f"one of {choices}"
    if origin in (list, tuple):
        items = "a list of strings" if _type(arguments[0]).startswith("a string") else "a list"
        return f"a string or {items}" if any(getattr(item, "func", None) is listed for item in metadata) else items
    if annotation is bool:
        return "true or false"
    if annotation is int:
        return "a whole number" + _range(metadata)
    if annotation is float:
        return "a number" + _range(metadata)
    if annotation is str or annotation is SecretStr:
        return ("a string" if annotation is str else "a secret") + _length(metadata)
    if annotation is AnyUrl:
        return "a ws:// or wss:// address"
    if annotation is HttpUrl:
        return "an http:// or https:// address"
    if origin in (dict, Mapping) or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return "a table"
    return "another kind of value"


def _range(metadata: Iterable[Any]) -> str:
    bounds = {type(item): item for item in metadata}
    if at.Ge in bounds and at.Le in bounds:
        return f" from {_number(bounds[at.Ge].ge)} to {_number(bounds[at.Le].le)}"
    words = {at.Gt: "above", at.Ge: "at least", at.Le: "at most", at.Lt: "below"}
    parts = [f"{word} {_number(getattr(bounds[bound], bound.__name__.lower()))}" for bound, word in words.items() if bound in bounds]
    return " " + " and ".join(parts) if parts else ""


def _number(value: float) -> str:
    """A bound without an exponent: `0.000000001`, `1000000000`."""
    return format(Decimal(str(value)).normalize(), "f")


def _length(metadata: Iterable[Any]) -> str:
    shortest, longest, pattern = 0, None, None
    for item in metadata:
        if isinstance(item, at.MinLen):
            shortest = item.min_length
        elif isinstance(item, at.MaxLen):
            longest = item.max_length
        pattern = getattr(item, "pattern", None) or pattern
    words = ""
    if longest is not None:
        words = f" of {shortest} to {longest} characters" if shortest else f" of at most {longest} characters"
    elif shortest:
        words = f" of at least {shortest} characters" if shortest > 1 else ", not empty"
    if pattern is not None:
        words += f" {_PATTERNS[pattern]}" if pattern in _PATTERNS else f" of the form {pattern}"
    return words


def toml(value: object, depth: int = 4) -> str:
    """`value` as the file would write it, what is nested more than `depth` deep as `…`; a date or the like as its text, in quotes."""
    if isinstance(value, list | tuple | Mapping) and depth == 0:
        return "…"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item, depth - 1) for item in value) + "]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key_part(str(key))} = {toml(item, depth - 1)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return _quoted(str(value))


def key_path(parts: Iterable[str | int]) -> str:
    """A key as one would write it in the file: `symbols."BTC-USD".feed[1]`."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{key_part(part)}" if path else key_part(part)
    return path


def key_part(part: str) -> str:
    """One part of a key, in quotes unless it is letters, digits and `_` only (TOML would let `BTC-USD` stand bare; we quote it)."""
    return part if re.fullmatch(r"[A-Za-z0-9_]+", part) else _quoted(part)


def _quoted(text: str) -> str:
    """A TOML basic string. Whatever a terminal or a log could act on is escaped."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08x}"


def shown(value: object) -> object:
    """`value` made fit for a message: short, of the types JSON has, and no password in a URL survives."""
    text = toml(value) if isinstance(value, bool | int | float | list | tuple | Mapping) else str(value)
    if value is None or (isinstance(value, bool | int | float) and len(text) <= SHOWN_LENGTH):
        return value
    safe = _CREDENTIALS.sub("//…@", text)
    if isinstance(value, list) and safe == text and len(text) <= SHOWN_LENGTH:
        return [shown(item) for item in value]
    return safe if len(safe) <= SHOWN_LENGTH else safe[:SHOWN_LENGTH] + "…"


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The one of `choices` that `name` was probably meant to be."""
    by_lower = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def did_you_mean(name: str, choices: Iterable[str], what: str) -> str:
    """A hint for an unknown name: the nearest of `choices`, or all of them. `what` is their plural: `feeds`, `keys here`."""
    choices = list(choices)
    guess = nearest(name, choices)
    if guess is not None:
        return f"did you mean {guess}?"
    return f"the {what}: {', '.join(choices)}" if choices else f"there are no {what}"
