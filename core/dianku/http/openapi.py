"""The OpenAPI 3.1 document, made from the table of routes and the types that check requests.

It is never written by hand, so it cannot say anything else than what is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from dianku.http.problem_answers import MEDIA_TYPE
from dianku.http.route import PUBLIC, Route
from dianku.wire import Answer

ROOT = "/api/v1"
_REF = "#/components/schemas/{name}"
_NO_BODY = 204
_EVENTS = "text/event-stream"
_PAGING = frozenset({"limit", "cursor", "sort"})
_PATH_TEXT = {"type": "string", "minLength": 1}


class FieldProblem(Answer):
    """A wrong field: an RFC 6901 pointer into the body (or "/" and a parameter's name)."""

    pointer: str
    message: str
    code: str


class ProblemAnswer(Answer):
    """A refusal (RFC 9457). `code` is stable; further members depend on it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem]
    request_id: str | None = None


def openapi_document(routes: Iterable[Route], *, version: str) -> dict[str, Any]:
    """The document for these routes."""
    shown = sorted(routes, key=lambda r: (r.path, r.method))
    types = [t for route in shown for t in _types(route)]
    _, components = msgspec.json.schema_components(
        [*types, ProblemAnswer], ref_template=_REF, schema_hook=_anything
    )
    paths: dict[str, Any] = {}
    for route in shown:
        paths.setdefault(ROOT + route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dianku 店库",
            "version": version,
            "description": "The HTTP API of a shop. Numbers are exact decimal strings.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def refuse_undescribable(route: Route) -> None:
    """Find out whether a route can stand in the document, without making one of all the others.

    Raises:
        Exception: whatever describing its types raises.
    """
    if types := _types(route):
        msgspec.json.schema_components(types, ref_template=_REF, schema_hook=_anything)
    _operation(route)


def _anything(kind: Any) -> dict[str, Any]:
    """The schema of `object`: any JSON value."""
    if kind is not object:
        raise TypeError(f"a type JSON has no schema for: {kind!r}")
    return {"description": "Any JSON value"}


def _types(route: Route) -> list[Any]:
    return [t for t in (route.request, route.form, route.answer) if t is not None]


@lru_cache(maxsize=1024)
def _schema(kind: Any) -> dict[str, Any]:
    """The schema of a type; many routes answer with the same, and none changes it."""
    (found,), _ = msgspec.json.schema_components([kind], ref_template=_REF, schema_hook=_anything)
    return found


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [route.plugin or route.path.split("/")[1]],
        "parameters": _parameters(route),
        "responses": _responses(route),
        "x-permission": route.permission,
    }
    doc = (route.handler.__doc__ or "").strip()
    if doc:
        operation["description"] = doc
    if route.permission == PUBLIC:
        operation["security"] = []
    body = _body(route)
    if body is not None:
        operation["requestBody"] = body
    return operation


def _operation_id(route: Route) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "_", route.path).strip("_")
    return f"{route.method.lower()}_{words}"


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_TEXT}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    if isinstance(route.query, type) and issubclass(route.query, Struct):
        found += _query_parameters(route.query)
    named: dict[str, dict[str, Any]] = {}
    for kind in route.described:
        named = {p["name"]: p for p in _query_parameters(kind) if p["name"] not in _PAGING} | named
    found += named.values()
    if route.keyed:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Once for ever: the same key and body give the first answer again.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        )
    return found


def _query_parameters(kind: type[Struct]) -> list[dict[str, Any]]:
    _, components = msgspec.json.schema_components([kind], ref_template=_REF, schema_hook=_anything)
    schema = components[kind.__name__]
    required = set(schema.get("required", ()))
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _parameter_schema(inner),
        }
        for name, inner in schema["properties"].items()
    ]


def _parameter_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter is there or not; there is no null in a query."""
    options = [s for s in schema.get("anyOf", ()) if s != {"type": "null"}]
    plain = {k: v for k, v in schema.items() if k not in {"anyOf", "default"}}
    if len(options) == 1:
        return {**plain, **options[0]}
    if options:
        plain["anyOf"] = options
    if schema.get("default") is not None:
        plain["default"] = schema["default"]
    return plain


def _body(route: Route) -> dict[str, Any] | None:
    if route.form is not None:
        file = {"type": "string", "format": "binary"}
        _, components = msgspec.json.schema_components(
            [route.form], ref_template=_REF, schema_hook=_anything
        )
        fields = components[route.form.__name__]
        merged = {
            "type": "object",
            "properties": {**fields.get("properties", {}), "file": file},
            "required": [*fields.get("required", ()), "file"],
            "additionalProperties": False,
        }
        return {"required": True, "content": {"multipart/form-data": {"schema": merged}}}
    if route.request is None:
        return None
    content = {"application/json": {"schema": _schema(route.request)}}
    return {"required": not route.optional, "content": content}


def _content(route: Route) -> dict[str, Any]:
    if route.media_type == _EVENTS:
        return {}  # readers hold each event against a schema; OpenAPI 3.1 has none for that
    if route.media_type != "application/json":
        return {"schema": {"type": "string"}}
    return {"schema": _schema(route.answer) if route.answer is not None else {}}


def _responses(route: Route) -> dict[str, Any]:
    good: dict[str, Any] = {"description": route.summary}
    if route.status != _NO_BODY:
        good["content"] = {
            media.partition(";")[0]: _content(route)
            for media in (route.media_type, *route.media_types)
        }
    if route.keyed:
        good["headers"] = {
            "Idempotency-Replayed": {
                "description": "`true` where the key was used before",
                "schema": {"type": "string"},
            }
        }
    problem = {"$ref": _REF.format(name="ProblemAnswer")}
    refused = {"description": "Refused", "content": {MEDIA_TYPE: {"schema": problem}}}
    return {str(route.status): good, "4XX": refused, "5XX": refused}
