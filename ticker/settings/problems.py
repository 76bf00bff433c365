"""Collects what is wrong with the tables of a settings file while they are checked, one problem a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

from ticker.errors import Problem
from ticker.settings.check import Missing, check
from ticker.settings.describe import key_path
from ticker.settings.table import Table

T = TypeVar("T", bound=Table)


class Problems:
    """What was found so far, beginning with what was `found` in the text. `folder` is that of the file, where the files that it names are
    looked for. With `secrets_required` off, a missing secret is no problem.
    """

    def __init__(self, found: Iterable[Problem], folder: str, *, secrets_required: bool) -> None:
        self._folder = folder
        self._secrets_required = secrets_required
        self._by_key = {problem.key: problem for problem in found}
        self.refused: set[str] = set()
        """Keys that the environment has no usable value for, which is said already: that they have none now is no further problem."""
        self.origins: dict[tuple[str | int, ...], str] = {}
        """Which values come from elsewhere than the file, by the path of their key: from where."""

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._by_key.values())

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def add(self, problem: Problem) -> None:
        """One more, unless there is one of its key."""
        if problem.key not in self.refused:
            self._by_key.setdefault(problem.key, problem)

    def check_alone(self, model: type[Table], value: object, path: tuple[str, ...]) -> None:
        """Judge a value of the file that something else is going to replace: the file has to be right in itself."""
        result = check(model, {path[-1]: value}, path[:-1], {}, self._folder)
        for problem in result if isinstance(result, list) else []:
            if isinstance(problem, Problem) and problem.key.startswith(key_path(path)):
                self.add(problem)

    def check(self, model: type[T], values: Mapping[str, Any], path: tuple[str, ...]) -> T | None:
        """The table that stands at `path` as a `model`; `None` where something is wrong with it, which is kept."""
        result = check(model, values, path, self.origins, self._folder)
        if not isinstance(result, list):
            return result
        for problem in result:
            if isinstance(problem, Problem):
                self.add(problem)
            elif self._secrets_required:
                self.add(problem.problem)
        if not all(isinstance(problem, Missing) for problem in result):
            return None
        # Only secrets are missing, and nobody asked for them: what stands in the file is right.
        unchecked: Any = model.model_construct(**values)
        return cast(T, unchecked)
