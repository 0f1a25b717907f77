"""Reading bodies within limits: what is too large is refused while it arrives, not afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request as StarletteRequest

from dianku.errors import FieldError, Refused, invalid, refuse
from dianku.http.fields import convert_value, objects_of
from dianku.http.route import Upload

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

FIELDS_MAX = 50
FIELD_BYTES_MAX = 64_000


class Disconnected(Exception):
    """The caller left before the whole body was there; nobody waits for an answer."""


async def read_body(receive: Receive, *, declared: bytes | None, max_bytes: int) -> bytes:
    """Read a body whole.

    Raises:
        Refused: `body_too_large`, at once where the length is declared, else as soon as the
            limit is passed; the rest is never read.
        Disconnected: the caller left.
    """
    _check_declared(declared, max_bytes)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        only: bytes = message.get("body", b"")
        if len(only) > max_bytes:
            raise refuse("body_too_large", max=max_bytes)
        return only
    chunks: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise refuse("body_too_large", max=max_bytes)
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)
        message = await receive()


class Form:
    """A multipart body: checked fields and one file, spooled to disk when large.

    Use as an async context manager: the file is gone at its end.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        *,
        kind: Any,
        declared: bytes | None,
        max_bytes: int,
    ) -> None:
        _check_declared(declared, max_bytes)
        self._request = StarletteRequest(scope, _limited(receive, max_bytes))
        self._kind = kind
        self._data: FormData | None = None

    async def __aenter__(self) -> tuple[Any, Upload]:
        """Read the form.

        Raises:
            Refused: `body_too_large`, `unreadable_body`, or `invalid` with every wrong field.
        """
        try:
            data = await self._request.form(
                max_files=1, max_fields=FIELDS_MAX, max_part_size=FIELD_BYTES_MAX
            )
        except (HTTPException, MultiPartException, KeyError, ValueError) as error:
            reason = str(getattr(error, "detail", error))
            raise refuse("unreadable_body", reason=reason) from error
        self._data = data
        try:
            return self._read(data)
        except Refused:
            await data.close()
            raise

    def _read(self, data: FormData) -> tuple[Any, Upload]:
        texts: dict[str, str] = {}
        upload: UploadFile | None = None
        for name, value in data.multi_items():
            if name == "file" and isinstance(value, UploadFile):
                upload = value
            elif isinstance(value, str):
                texts[name] = value
            else:
                raise invalid(FieldError(f"/{name}", "unknown_field"))
        if upload is None:
            raise invalid(FieldError("/file", "missing"))
        fields = convert_value(objects_of(texts, self._kind), self._kind, lax=True)
        return fields, Upload(upload.filename or "", upload.file, upload.size or 0)

    async def __aexit__(self, *_exc: object) -> None:
        """Drop the spooled file."""
        if self._data is not None:
            await self._data.close()


def _check_declared(declared: bytes | None, max_bytes: int) -> None:
    if declared is not None and declared.isdigit() and int(declared) > max_bytes:
        raise refuse("body_too_large", max=max_bytes)


def _limited(receive: Receive, max_bytes: int) -> Receive:
    size = 0

    async def counted() -> MutableMapping[str, Any]:
        nonlocal size
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        size += len(message.get("body", b""))
        if size > max_bytes:
            raise refuse("body_too_large", max=max_bytes)
        return message

    return counted
