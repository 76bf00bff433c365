"""Checks plain values against a table of the model and says, for each that is wrong, what it must be and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from ticker.errors import Problem
from ticker.settings.describe import did_you_mean, expectation, item_expectation, key_path, nearest, shown, toml
from ticker.settings.environment import variable_of
from ticker.settings.table import UNSHOWN, Table
from ticker.settings.toml_file import folder_of

KeyPath = tuple[str | int, ...]
T = TypeVar("T", bound=Table)


class Missing(NamedTuple):
    """A secret that no variable gives. Who only edits the file can do without it."""

    problem: Problem


def check(
    model: type[T], values: Mapping[str, Any], at: Sequence[str], origins: Mapping[KeyPath, str], folder: str = ""
) -> T | list[Problem | Missing]:
    """`values` as a `model`, or all that is wrong with them.

    `at` is where the table stands in the file; `origins` says, by key path, which values came from elsewhere; `folder` is that of the file,
    where the files that it names are looked for.
    """
    try:
        return model.model_validate(values, context={"folder": folder})
    except ValidationError as error:
        return [_problem(detail, model, values, tuple(at), origins) for detail in error.errors(include_url=False)]


def _problem(detail: Any, model: type[Table], values: Mapping[str, Any], at: KeyPath, origins: Mapping[KeyPath, str]) -> Problem | Missing:
    kind = detail["type"]
    path, value = _follow(detail["loc"], values)
    if kind == "missing":
        path = (*path, detail["loc"][-1])
        return _missing(model, at, path)
    key, field = key_path([*at, *path]), _field(model, path)
    if kind == "extra_forbidden":
        table = _inner(model, path[:-1])
        known = [name for name in table.model_fields if name not in table.secrets] if table else []
        return unknown_key([*at, *path[:-1]], str(path[-1]), known, value, table.secrets if table else ())
    origin = origins.get((*at, *path[:1]))
    hint = f"it comes from {origin}" if origin else _hint(value, kind)
    hidden = field is None or UNSHOWN in field.metadata or SecretStr in (field.annotation, *get_args(field.annotation))
    named = folder_of(value) if path[-1:] == ("ca_file",) and isinstance(value, str) else ""
    return Problem(key, _reason(detail, field, path, value), hint, None if hidden else shown(value), named)


def _follow(location: Sequence[str | int], values: Any) -> tuple[KeyPath, Any]:
    """The part of pydantic's `loc` that exists in the file (it also names branches of a union), and the value there."""
    path: list[str | int] = []
    for part in location:
        inside = (
            part in values
            if isinstance(values, Mapping)
            else (isinstance(values, Sequence) and not isinstance(values, str) and isinstance(part, int) and part < len(values))
        )
        if inside:
            path.append(part)
            values = values[part]
    return tuple(path), values


def _missing(model: type[Table], at: KeyPath, path: KeyPath) -> Problem | Missing:
    key, name, field = key_path([*at, *path]), str(path[-1]), _field(model, path)
    if name in model.secrets:
        return Missing(Problem(key, "is missing", secret_hint((*at, name))))
    return Problem(key, "is missing", f"it must be {expectation(field)}" if field else "")


def _reason(detail: Any, field: FieldInfo | None, path: KeyPath, value: object) -> str:
    kind = detail["type"]
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind in ("too_short", "too_long") and isinstance(value, list | tuple):
        bound = detail["ctx"].get("min_length" if kind == "too_short" else "max_length")
        return f"must have at {'least' if kind == 'too_short' else 'most'} {bound} item{'' if bound == 1 else 's'}"
    if field is None:
        return str(detail["msg"])[:1].lower() + str(detail["msg"])[1:]
    return "must be " + (item_expectation(field) if isinstance(path[-1], int) else expectation(field))


def _hint(value: object, kind: str) -> str:
    """What to write instead, where only the form is wrong."""
    if isinstance(value, str):
        if kind in ("int_type", "float_type", "bool_type") and _means_that(value, kind):
            return f"write {value.strip()}, without quotes"
        return f"write [{toml(shown(value))}]" if kind in ("list_type", "tuple_type") else ""
    if kind == "int_type" and isinstance(value, float) and value.is_integer():
        return f"write {value:.0f}"
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f'write "{toml(value)}", in quotes'
    return ""


def _means_that(text: str, kind: str) -> bool:
    if kind == "bool_type":
        return text.strip() in ("true", "false")
    try:
        int(text) if kind == "int_type" else float(text)
    except ValueError:
        return False
    return True


def unknown_key(at: Sequence[str | int], name: str, known: Sequence[str], value: object, secrets: Sequence[str] = ()) -> Problem:
    """A key nobody knows in the table `at`. Its value is not shown: it may be a secret under a wrong name."""
    key = key_path([*at, name])
    if isinstance(value, Mapping) and "feed" in value:
        return Problem(key, "a symbol in the wrong table", "move the line to [symbols]")
    secret = nearest(name, secrets)
    if secret:
        return Problem(key, "unknown key, and a secret does not belong in this file", secret_hint((*at, secret)))
    return Problem(key, "unknown key", did_you_mean(name, known, "keys here"))


def secret_hint(path: Sequence[str | int]) -> str:
    """How to pass the secret at `path`."""
    variable = variable_of(path)
    return f"set {variable}, or {variable}_FILE to the path of a file of mode 0600 that holds it"


def _inner(model: type[Table], path: KeyPath) -> type[Table] | None:
    """The table at `path` within `model`."""
    table: type[Table] | None = model
    for part in path:
        if isinstance(part, str):
            table = _table(table.model_fields.get(part)) if table else None
    return table


def _field(model: type[Table], path: KeyPath) -> FieldInfo | None:
    """The field that governs the value at `path`: an item of a list is governed by the list's."""
    names = [index for index, part in enumerate(path) if isinstance(part, str)]
    table = _inner(model, path[: names[-1]]) if names else None
    return table.model_fields.get(str(path[names[-1]])) if table else None


def _table(field: FieldInfo | None) -> type[Table] | None:
    return next((found for found in _classes(field.annotation) if issubclass(found, Table)), None) if field else None


def _classes(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _classes(argument)
