"""JSON Schema (draft 2020-12) of an event or record type, with its docstrings as descriptions."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from typing import Any, Final

import msgspec

__all__ = ["DECIMAL", "json_schema"]

DECIMAL: Final = r"^-?[0-9]+(\.[0-9]+)?$"
"""An exact decimal text: digits, at most one point, no exponent."""

_DECIMALS: Final = frozenset(
    {"price", "amount", "last", "open", "high", "low", "close", "volume", "quote_volume"}
    | {"change", "change_percent", "vwap", "bid", "bid_amount", "ask", "ask_amount", "buy_volume"}
    | {"price_tick", "amount_step", "min_amount", "min_notional"}
)
"""Fields that hold a decimal."""
_TEXTS: Final = frozenset(
    {"type", "exchange", "symbol", "id", "side", "kind", "interval", "bar_kind", "size", "name"}
    | {"params", "input", "state", "channel", "channels", "intervals", "reason", "from", "to"}
    | {"unit", "venue_symbol", "base", "quote", "topic", "schema", "connection", "error", "frame"}
)
"""Fields that hold another text."""
_LEVELS: Final = frozenset({"bids", "asks"})


def json_schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of one type; later versions may add fields, so others are allowed.

    Raises:
        ValueError: a field with text is neither listed as a decimal nor as another text.
    """
    tag = str(kind.__struct_config__.tag)
    body = msgspec.json.schema(kind)["$defs"][kind.__name__]
    descriptions = _attribute_docstrings(kind)
    properties = {}
    for name, schema in body["properties"].items():
        described = {"description": descriptions[name]} if name in descriptions else {}
        properties[name] = {**described, **_exact(tag, name, schema)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{tag}.json",
        "title": kind.__name__,
        "description": inspect.getdoc(kind),
        "type": "object",
        "properties": properties,
        "required": body["required"],
    }


def _exact(tag: str, name: str, schema: dict[str, Any]) -> dict[str, Any]:
    if name in _LEVELS:
        level = {
            **schema["items"],
            "prefixItems": [
                {"description": "price", "type": "string", "pattern": DECIMAL},
                {"description": "amount", "type": "string", "pattern": DECIMAL},
            ],
        }
        return {**schema, "items": level}
    if name in _DECIMALS:
        return _with_pattern(schema)
    if name not in _TEXTS and '"string"' in msgspec.json.encode(schema).decode():
        raise ValueError(f"expected {tag}.{name} in _DECIMALS or _TEXTS of {__file__}, was in none")
    return schema


def _with_pattern(schema: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in schema:
        return {**schema, "anyOf": [_with_pattern(option) for option in schema["anyOf"]]}
    return {**schema, "pattern": DECIMAL} if schema.get("type") == "string" else schema


def _attribute_docstrings(kind: type) -> dict[str, str]:
    """Return the texts that stand below the attributes of a class and of those it inherits."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not (issubclass(base, msgspec.Struct) and base is not msgspec.Struct):
            continue
        names = {field.name: field.encode_name for field in msgspec.structs.fields(base)}
        tree = ast.parse(inspect.getsource(base)).body[0]
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for attribute, text in pairwise(body):
            match attribute, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(words))),
                ):
                    found[names[name]] = " ".join(words.split())
    return found
