"""Holds a value against a JSON schema, as far as our own schemas go. A keyword it does not know is an error."""

from __future__ import annotations

import re
from typing import Any

TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
SILENT = {"title", "description", "default", "format", "type", "$ref", "$defs", "additionalProperties", "required"}
SILENT |= {"properties", "items", "anyOf", "enum", "const", "pattern", "maxLength", "minLength", "minimum", "maximum"}


def faults(value: Any, schema: dict[str, Any], document: dict[str, Any], place: str = "$") -> list[str]:
    """What does not fit, each with its place."""
    strange = set(schema) - SILENT
    assert not strange, f"{place}: schema keywords {strange} are not checked; teach this module"
    if "$ref" in schema:
        return faults(value, _at(document, schema["$ref"]), document, place)
    if "anyOf" in schema:
        tries = [faults(value, one, document, place) for one in schema["anyOf"]]
        return [] if any(not one for one in tries) else [f"{place}: fits none of {schema['anyOf']}: {tries}"]
    found = _of_type(value, schema, place)
    if found:
        return found
    if isinstance(value, dict):
        return _in_object(value, schema, document, place)
    if isinstance(value, list) and "items" in schema:
        return [
            fault for n, one in enumerate(value) for fault in faults(one, schema["items"], document, f"{place}[{n}]")
        ]
    return []


def _at(document: dict[str, Any], ref: str) -> dict[str, Any]:
    at: Any = document
    for step in ref.removeprefix("#/").split("/"):
        at = at[step]
    return dict(at)


def _of_type(value: Any, schema: dict[str, Any], place: str) -> list[str]:
    wanted = schema.get("type")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {"integer": isinstance(value, int) and number, "number": number}.get(
        wanted or "", isinstance(value, TYPES.get(wanted or "", object))
    )
    found = [] if fits else [f"{place}: {value!r} is no {wanted}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place}: {value!r} is not of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{place}: {value!r} is not {schema['const']!r}")
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        found.append(f"{place}: {value!r} does not match {schema['pattern']}")
    return found


def _in_object(value: dict[str, Any], schema: dict[str, Any], document: dict[str, Any], place: str) -> list[str]:
    parts = schema.get("properties", {})
    found = [f"{place}: lacks {name}" for name in schema.get("required", ()) if name not in value]
    more = schema.get("additionalProperties", True)
    for name, one in value.items():
        if name in parts:
            found += faults(one, parts[name], document, f"{place}.{name}")
        elif more is False:
            found.append(f"{place}: {name} is not in the schema")
        elif isinstance(more, dict):
            found += faults(one, more, document, f"{place}.{name}")
    return found
