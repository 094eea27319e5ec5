"""The description of the API in OpenAPI 3.1, made from the table of routes and the models. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from qa.web.models import Problem
from qa.web.problems import MEDIA
from qa.web.records import LINES
from qa.web.routes import AUDIO, JSON, Route

REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)\}")
INFO = {
    "title": "seatwatch",
    "version": "1",
    "description": "Calls scored clause by clause. Served to this machine only until login exists. "
    "Every error is a problem of RFC 9457; lists go on at `next`.",
}


@cache
def document(routes: tuple[Route, ...]) -> dict[str, Any]:
    shapes = {shape for route in routes for shape in (route.answer, route.body) if shape} | {Problem}
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {}).update(_path(route))
    _, schemas = models_json_schema([(shape, "serialization") for shape in sorted(shapes, key=_name)], ref_template=REF)
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "paths": paths,
        "components": {"schemas": schemas["$defs"]},
    }


def _name(shape: type[BaseModel]) -> str:
    return shape.__name__


def _path(route: Route) -> dict[str, Any]:
    methods = ("get", "head") if route.media == AUDIO else (route.method.lower(),)
    return {method: _operation(route, method) for method in methods}


def _operation(route: Route, method: str) -> dict[str, Any]:
    return {
        "operationId": f"head_{route.name}" if method == "head" else route.name,
        "summary": route.summary,
        "x-roles": sorted(str(role) for role in route.roles),
        "parameters": [*_in_path(route), *_in_query(route), *_in_header(route)],
        **_in_body(route),
        "responses": {**_answers(route), **_problems(route)},
    }


def _in_body(route: Route) -> dict[str, Any]:
    if route.method == "GET":
        return {}
    content = {media: _body(route, media) for media in route.takes if media != JSON or route.body is not None}
    return {"requestBody": {"required": True, "content": content}} if content else {}


def _body(route: Route, media: str) -> dict[str, Any]:
    if media == JSON and route.body is not None:
        return {"schema": {"$ref": REF.format(model=_name(route.body))}}
    return {"schema": {"type": "string", "description": "one record a line"}} if media == LINES else {}


def _in_path(route: Route) -> Iterable[dict[str, Any]]:
    for name in _PARAMETER.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 128}}


def _in_query(route: Route) -> Iterable[dict[str, Any]]:
    if route.query is None:
        return
    schema = route.query.model_json_schema()
    for name, part in schema["properties"].items():
        required = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": required, "schema": _inline(part, schema)}


def _inline(part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without references, as it stands alone."""
    ref = part.get("$ref")
    return schema["$defs"][ref.rpartition("/")[2]] if ref else part


def _in_header(route: Route) -> Iterable[dict[str, Any]]:
    if route.media == AUDIO:
        yield {"name": "Range", "in": "header", "required": False, "schema": {"type": "string"}}


def _answers(route: Route) -> dict[str, Any]:
    schema: dict[str, Any] = {"$ref": REF.format(model=_name(route.answer))} if route.answer else {}
    if route.media == AUDIO:
        content: dict[str, Any] = {media: {} for media in ("audio/flac", "audio/ogg")}
        return {
            "200": {"description": "The whole recording", "content": content},
            "206": {"description": "A part of it", "content": content},
            "304": {"description": "The client has it already"},
        }
    if not route.answer and route.media == JSON:
        schema = {"type": "object"}
    found = {"200": {"description": route.summary, "content": {route.media: {"schema": schema} if schema else {}}}}
    if route.path == "/readyz":
        found["503"] = {**found["200"], "description": "Something is not well"}
    return found


def _problems(route: Route) -> dict[str, Any]:
    content = {MEDIA: {"schema": {"$ref": REF.format(model=_name(Problem))}}}
    known = {*route.errors, *((400,) if route.query else ()), 421}
    known |= {503} if route.path.startswith("/api/") else set()
    return {str(code): {"description": HTTPStatus(code).phrase, "content": content} for code in sorted(known)}
