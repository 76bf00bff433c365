"""The page's types in TypeScript, made of the structs that go over the wire (`python -m cli.document`)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ticker import wire
from web.api.schema import Schema, Schemas

FILE = Path(__file__).parents[1] / "frontend" / "src" / "model" / "wire-types.ts"
"""Where they lie."""
STRUCTS = (wire.Hello, wire.Beat, wire.Shutdown, wire.FirstQuote, wire.Symbol, wire.Feed, wire.Reload, wire.FirstRows, wire.Sparklines,
           wire.Candles, wire.Error)  # fmt: skip
"""What the page reads. What these refer to comes along."""
_HEAD = "/** What the server sends. Made of ticker/wire.py and ticker/quote.py by `python -m cli.document`: change those, not this. */\n"
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def page_types() -> str:
    """The text of the file."""
    schemas = Schemas()
    for struct in STRUCTS:
        schemas.of(struct)
    return "\n".join([_HEAD, *(_interface(name, schema) for name, schema in schemas.named.items())])


def _interface(name: str, schema: Schema) -> str:
    lines = [f"/** {schema['description']} */", f"export interface {name} {{"]
    for field, kind in schema["properties"].items():
        if "description" in kind:
            lines.append(f"  /** {kind['description']} */")
        lines.append(f"  {field}{'' if field in schema['required'] else '?'}: {_type(kind)};")
    return "\n".join([*lines, "}\n"])


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return _either(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "anyOf" in schema:
        return _either(_type(one) for one in schema["anyOf"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return _either(_array(schema) if kind == "array" else _object(schema) if kind == "object" else _PLAIN[kind] for kind in kinds)


def _array(schema: Schema) -> str:
    item = _type(schema["items"])
    if "minItems" in schema:
        return f"readonly [{', '.join([item] * schema['minItems'])}]"
    return f"readonly ({item})[]" if " " in item else f"readonly {item}[]"


def _object(schema: Schema) -> str:
    return f"Readonly<Record<string, {_type(schema['additionalProperties'])}>>"


def _either(kinds: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(kinds))
