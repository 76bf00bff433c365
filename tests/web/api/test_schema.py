"""Types as JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from web.api.schema import Schemas


class Leaf(msgspec.Struct, omit_defaults=True):
    """At the end of a branch."""

    size: int
    colour: Annotated[str | None, Meta(description="Absent where nobody looked")] = None


class Branch(msgspec.Struct, rename={"origin": "from"}):
    """Has leaves,
    and branches.
    """

    origin: Annotated[str, Meta(description="Where it grows")]
    leaves: list[Leaf]
    branches: list[Branch]
    broken: bool | None
    withered: float | UnsetType | None = UNSET


REF = {"$ref": "#/components/schemas/Leaf"}


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, {"type": "string"}),
        (int | None, {"type": ["integer", "null"]}),
        (Annotated[float | None, Meta(description="d")], {"type": ["number", "null"], "description": "d"}),
        (Annotated[int, Meta(extra_json_schema={"minimum": 1})], {"type": "integer", "minimum": 1}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (Literal["a", "b"] | None, {"enum": ["a", "b", None]}),
        (Literal["a"], {"const": "a"}),
        (str | list[str], {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
        (
            tuple[int, float],
            {"type": "array", "items": {"type": ["integer", "number"]}, "minItems": 2, "maxItems": 2},
        ),
        (dict[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
        (Any, {}),
        (Leaf, REF),
        (Leaf | None, {"anyOf": [REF, {"type": "null"}]}),
    ],
)
def test_a_type(kind: Any, schema: dict[str, Any]) -> None:
    """As short as it can be said."""
    assert Schemas().of(kind) == schema


def test_a_struct_is_written_once() -> None:
    """Under its name, with its own words; what may be absent is not required, and is null only where it can be."""
    schemas = Schemas()
    schemas.of(Branch)
    assert schemas.named == {
        "Branch": {
            "type": "object",
            "description": "Has leaves, and branches.",
            "properties": {
                "from": {"type": "string", "description": "Where it grows"},
                "leaves": {"type": "array", "items": REF},
                "branches": {"type": "array", "items": {"$ref": "#/components/schemas/Branch"}},
                "broken": {"type": ["boolean", "null"]},
                "withered": {"type": ["number", "null"]},
            },
            "required": ["from", "leaves", "branches", "broken"],
        },
        "Leaf": {
            "type": "object",
            "description": "At the end of a branch.",
            "properties": {"size": {"type": "integer"}, "colour": {"type": "string", "description": "Absent where nobody looked"}},
            "required": ["size"],
        },
    }
