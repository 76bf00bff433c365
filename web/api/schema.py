"""JSON Schema of the structs that go over the wire (2020-12, as OpenAPI 3.1 has it)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect

Schema = dict[str, Any]


class Schemas:
    """Writes schemas; each struct once, under its name, in `named`. Fields may be added to any of ours at any time: none is closed."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}

    def of(self, annotation: Any) -> Schema:
        """The schema of a type."""
        return self._of(inspect.type_info(annotation))

    def _of(self, kind: inspect.Type) -> Schema:
        match kind:
            case inspect.Metadata():
                return {**self._of(kind.type), **(kind.extra_json_schema or {})}
            case inspect.StructType():
                return self._struct(kind)
            case inspect.UnionType():
                return _either([self._of(one) for one in kind.types])
            case inspect.LiteralType():
                return {"const": kind.values[0]} if len(kind.values) == 1 else {"enum": list(kind.values)}
            case inspect.ListType():
                return {"type": "array", "items": self._of(kind.item_type)}
            case inspect.TupleType():
                # Not as `prefixItems`: the tools that read such documents stumble over it.
                size, items = len(kind.item_types), dict.fromkeys(self._of(item)["type"] for item in kind.item_types)
                return {"type": "array", "items": {"type": [*items]}, "minItems": size, "maxItems": size}
            case inspect.DictType():
                return {"type": "object", "additionalProperties": self._of(kind.value_type)}
            case inspect.AnyType():
                return {}
        return {"type": _PLAIN[type(kind)]}

    def _struct(self, kind: inspect.StructType) -> Schema:
        name = kind.cls.__name__
        if name not in self.named:
            self.named[name] = {}  # it may refer to itself
            is_absent = kind.cls.__struct_config__.omit_defaults  # then what is `None` is not there
            self.named[name] = {
                "type": "object",
                "description": " ".join((kind.cls.__doc__ or "").split()),
                "properties": {field.encode_name: self._of(_present(field.type) if is_absent else field.type) for field in kind.fields},
                "required": [field.encode_name for field in kind.fields if field.required],
            }
        return {"$ref": f"#/components/schemas/{name}"}


_PLAIN: dict[type, str] = {inspect.StrType: "string", inspect.IntType: "integer", inspect.FloatType: "number",
                           inspect.BoolType: "boolean", inspect.NoneType: "null"}  # fmt: skip


def _present(kind: inspect.Type) -> inspect.Type:
    """A type without `None`."""
    if isinstance(kind, inspect.Metadata):
        return msgspec.structs.replace(kind, type=_present(kind.type))
    if not isinstance(kind, inspect.UnionType):
        return kind
    kinds = tuple(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return kinds[0] if len(kinds) == 1 else inspect.UnionType(kinds)


def _either(schemas: list[Schema]) -> Schema:
    """What is one of several; in short where one of two is null."""
    some = [schema for schema in schemas if schema != {"type": "null"}]
    if len(some) == 1 and len(schemas) == 2:
        (schema,) = some
        if isinstance(schema.get("type"), str):
            return {**schema, "type": [schema["type"], "null"]}
        if "enum" in schema:
            return {**schema, "enum": [*schema["enum"], None]}
    return {"anyOf": schemas}
