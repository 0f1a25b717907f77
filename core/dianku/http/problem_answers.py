"""Problems on the wire: RFC 9457 `application/problem+json`, in the caller's language."""

from __future__ import annotations

from typing import Any

import msgspec

from dianku.errors import FieldError, Problem
from dianku.messages import Messages

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
"""What a refused caller is told to wait when the refusal does not say: a batch is long done."""

_STANDARD = frozenset({"type", "title", "status", "detail", "code", "errors", "request_id"})


def problem_body(
    problem: Problem, *, messages: Messages, language: str, request_id: str = ""
) -> dict[str, Any]:
    """The members of the answer; `extra` of the problem beside the standard ones."""
    status = problem.status
    body: dict[str, Any] = {
        "type": f"urn:dianku:problem:{problem.code}",
        "title": messages.text(f"title.{status}", language),
        "status": status,
        "detail": messages.problem(problem.code, language, problem.params),
        "code": problem.code,
        "errors": [_field(e, messages=messages, language=language) for e in problem.errors],
    }
    if request_id:
        body["request_id"] = request_id
    body |= {name: value for name, value in problem.extra.items() if name not in _STANDARD}
    return body


def problem_headers(problem: Problem) -> list[tuple[bytes, bytes]]:
    """The headers a problem needs besides its type."""
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
    if problem.status in {429, 503}:
        wait = problem.params.get("retry_after_seconds", RETRY_AFTER_S)
        headers.append((b"retry-after", str(max(1, int(wait))).encode()))
    if problem.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="dianku"'))
    if problem.code == "method_not_allowed":
        headers.append((b"allow", str(problem.params.get("allow", "")).encode()))
    return headers


def encode_problem(
    problem: Problem, *, messages: Messages, language: str, request_id: str = ""
) -> bytes:
    """The answer's bytes; what JSON cannot carry in `extra` is written as text."""
    body = problem_body(problem, messages=messages, language=language, request_id=request_id)
    return msgspec.json.encode(body, enc_hook=str)


def _field(error: FieldError, *, messages: Messages, language: str) -> dict[str, str]:
    return {
        "pointer": error.pointer,
        "message": messages.field(error.code, language, error.params),
        "code": error.code,
    }
