"""Settings from environment variables: `TICKERCAST_SERVER__PORT=8080`, JSON for lists, secrets also from a file (`…_FILE`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import AnyUrl, HttpUrl, SecretStr
from pydantic.fields import FieldInfo

from ticker.errors import Problem
from ticker.settings import secret_file
from ticker.settings.describe import nearest
from ticker.settings.model import FEED_NAME, FeedSettings
from ticker.settings.service_links import is_link
from ticker.settings.table import Table

PREFIX = "TICKERCAST_"


class Value(NamedTuple):
    """What a variable sets: the key's path, the plain value, and the variable's name."""

    path: tuple[str, ...]
    value: object
    variable: str


class Overlay(NamedTuple):
    """All that the environment says, and what is wrong or odd about it."""

    values: list[Value]
    problems: list[Problem]
    warnings: list[Problem]
    refused: set[tuple[str, ...]]
    """The keys that a problem is about already: that they have no value now is no further problem."""


def variable_of(path: Iterable[str | int]) -> str:
    """The variable of a key: `TICKERCAST_FEEDS__SIM__SEED` of `feeds.sim.seed`."""
    return PREFIX + "__".join(str(part).upper() for part in path)


def read(
    environ: Mapping[str, str], fixed: Mapping[str, type[Table]], feeds: Mapping[str, str | None], kinds: Mapping[str, type[FeedSettings]]
) -> Overlay:
    """The settings in `environ`. `feeds` names the feeds of the file with their kind (`None`: not readable).

    A feed may also come from the environment alone, by its `TICKERCAST_FEEDS__NAME__KIND`. A variable that is no setting is a warning:
    keys stay exported while a feed is switched off, and others use our prefix too. What Kubernetes and Docker make of the names of services
    is passed over, and so is a key of a feed whose kind is unknown.
    """
    ours = {name: text for name, text in sorted(environ.items()) if name.startswith(PREFIX)}
    present = dict(feeds) | dict(_kinds_in(ours))
    tables: dict[tuple[str, ...], type[Table]] = {(name,): model for name, model in fixed.items()}
    tables |= {("feeds", feed): kinds[kind] for feed, kind in present.items() if kind is not None and kind in kinds}
    undecided = {feed for feed, kind in present.items() if kind not in kinds}
    keys = {
        variable: (path, field, secret, from_file)
        for path, field, secret in _keys(tables)
        for variable, from_file in _variables(path, secret)
    }
    overlay = Overlay([], [], [], set())
    for name, text in ours.items():
        feed, key = _feed_and_key(name)
        if name in keys:
            path, field, secret, from_file = keys[name]
            _take(overlay, ours, Value(path, text, name), field, secret, from_file)
        elif feed in undecided:
            if key == "kind":
                overlay.values.append(Value(("feeds", str(feed), "kind"), text, name))
        elif feed and feed not in present:
            overlay.warnings.append(Problem(name, f"has no effect: there is no feed {feed}", _guess(feed, present)))
        elif not is_link(name.removeprefix(PREFIX), text):
            # Without the prefix, which all have and which would make any two alike.
            short = name.removeprefix(PREFIX)
            whole = [known.removeprefix(PREFIX) for known in keys]
            guess = next((known for known in whole if known.partition("__")[2] == short), None) or nearest(short, whole)
            hint = f"did you mean {PREFIX}{guess}?" if guess else "docs/settings.md lists the keys"
            overlay.warnings.append(Problem(name, "has no effect: there is no such setting", hint))
    return overlay


def _guess(feed: str, present: Iterable[str]) -> str:
    guess = nearest(feed, present)
    return f"did you mean {variable_of(('feeds', guess))}__…?" if guess else f"unset it, or write [feeds.{feed}]"


def _feed_and_key(variable: str) -> tuple[str | None, str]:
    """`("finnhub", "api_key")` of `TICKERCAST_FEEDS__FINNHUB__API_KEY`; no feed in any other variable."""
    feed, _, key = variable.removeprefix(f"{PREFIX}FEEDS__").rpartition("__")
    ours = variable.startswith(f"{PREFIX}FEEDS__") and variable.isupper() and FEED_NAME.fullmatch(feed.lower()) is not None
    return (feed.lower() if ours else None), key.lower()


def _kinds_in(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in variables.items():
        feed, key = _feed_and_key(name)
        if feed and key == "kind":
            yield feed, text


def _keys(tables: Mapping[tuple[str, ...], type[Table]]) -> Iterator[tuple[tuple[str, ...], FieldInfo, bool]]:
    for table, model in tables.items():
        for name, field in model.model_fields.items():
            yield (*table, name), field, name in model.secrets


def _variables(path: tuple[str, ...], secret: bool) -> Iterator[tuple[str, bool]]:
    yield variable_of(path), False
    if secret:
        yield f"{variable_of(path)}_FILE", True


def _take(overlay: Overlay, ours: Mapping[str, str], given: Value, field: FieldInfo, secret: bool, from_file: bool) -> None:
    if not secret:
        overlay.values.append(given._replace(value=_plain(str(given.value), field.annotation)))
        return
    text: str | Problem = str(given.value)
    if from_file and variable_of(given.path) in ours:
        text = Problem(given.variable, f"{variable_of(given.path)} is set too", "unset one of them")
    elif from_file:
        text = secret_file.read(given.variable, str(given.value))
    elif not text:
        text = Problem(given.variable, "is empty")
    if isinstance(text, Problem):
        overlay.problems.append(text)
        overlay.refused.add(given.path)
    else:
        overlay.values.append(given._replace(value=SecretStr(text)))


def _plain(text: str, annotation: Any) -> object:
    """The text of a variable as the value a file would hold: itself for a string, JSON for everything else."""
    if _takes(annotation, (str, HttpUrl, AnyUrl)) and not (text.startswith(("[", "{")) and _takes(annotation, (list, tuple, dict))):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _takes(annotation: Any, wanted: tuple[type, ...]) -> bool:
    if get_origin(annotation) is Literal:
        return str in wanted and any(isinstance(value, str) for value in get_args(annotation))
    if (get_origin(annotation) or annotation) in wanted:
        return True
    return get_origin(annotation) not in (list, tuple, dict) and any(_takes(argument, wanted) for argument in get_args(annotation))
