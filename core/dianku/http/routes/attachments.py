"""Files kept beside the books, and what they are shown with."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from sqlalchemy.engine import Connection

from dianku.catalog.requests import Photo
from dianku.errors import FieldError, invalid, refuse
from dianku.host import Host
from dianku.http.route import Call, Content, Replied, Route
from dianku.http.routes.answers import REPLAYED, once
from dianku.idempotency import digest, keyed, recall
from dianku.ledger.attached import attach_to
from dianku.ledger.requests import AttachedRecord
from dianku.pictures import KINDS, cleaned, refuse_large
from dianku.wire import Answer, Request

PHOTO_BYTES_MAX = 400_000
PHOTO_PIXELS_MAX = 1_000_000
"""Of what a product is shown with: a list shows fifty of them on a phone."""


class AttachmentRecord(Answer):
    """A file that is kept; `id` is the SHA-256 of what is kept."""

    id: str
    media_type: str
    size: int


class AttachmentForm(Request, frozen=True):
    """Nothing but the file."""


class NewAttached(Request, frozen=True):
    """A file that was kept, to be shown with a document."""

    attachment: Photo


def attach(call: Call) -> Replied:
    """Keep a file; of a picture, nothing that says where it was taken."""
    if call.upload is None:
        raise refuse("unreadable_body", reason="no file")
    database, key = call.host.database, call.key
    wanted = digest("attachment", {"file": hash_of(call.upload.file)}, call.body)
    recall(database, key=key, digest=wanted)  # a key of something else: nothing is kept
    file = call.host.attachments.keep(call.upload.file)
    record = AttachmentRecord(id=file.id, media_type=file.media_type, size=file.size)
    kept = keyed(database, key=key, digest=wanted, effect=lambda _: record)
    return Replied(record, 201, {} if file.new and not kept.replayed else REPLAYED)


def get_attachment(call: Call) -> Content:
    """Give a kept file back."""
    kept, content = call.host.attachments.read(call.path["id"])
    headers = {
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=31536000, immutable",
    }
    shown = kept.media_type.startswith("image/")
    return Content(content, kept.media_type, None if shown else kept.id, headers)


def attach_to_document(call: Call) -> Replied:
    """Show a kept file with a document; the same one again changes nothing."""
    host, number, wanted = call.host, call.path["number"], call.body.attachment
    host.stock.document(number, ctx=call.ctx)  # one of the caller's stores
    kept = host.attachments.find(wanted)
    if kept is None:
        raise invalid(FieldError("/attachment", "unknown", {"value": wanted[:64]}))
    new = True

    def effect(connection: Connection) -> AttachedRecord:
        nonlocal new
        record, new = attach_to(
            connection,
            number,
            attachment=wanted,
            media_type=kept.media_type,
            size=kept.size,
            actor=call.ctx.actor.name,
            now_ms=host.clock.now_ms(),
        )
        return record

    replied = once(call, "document-attachment", effect)
    return replied if new else Replied(replied.body, replied.status, REPLAYED)


def check_photo(host: Host, photo: object) -> None:
    """Refuse what no list can show as a product's photo.

    Raises:
        Refused: `invalid` at `/photo`.
    """
    if not isinstance(photo, str):
        return
    kept = host.attachments.find(photo)
    if kept is None:
        raise invalid(FieldError("/photo", "unknown", {"value": photo}))
    if kept.media_type not in KINDS:
        raise invalid(FieldError("/photo", "not_a_picture"))
    if kept.size > PHOTO_BYTES_MAX:
        raise invalid(FieldError("/photo", "too_many_bytes", {"max": PHOTO_BYTES_MAX}))
    picture = cleaned(host.attachments.read(photo)[1], kept.media_type)
    refuse_large(picture.width, picture.height, pixels_max=PHOTO_PIXELS_MAX, pointer="/photo")


def hash_of(file: BinaryIO) -> str:
    """The SHA-256 of a file, which is at its start again afterwards."""
    digest_ = hashlib.sha256()
    while chunk := file.read(1 << 16):
        digest_.update(chunk)
    file.seek(0)
    return digest_.hexdigest()


ROUTES = (
    Route(
        "POST",
        "/attachments",
        attach,
        "attachment.edit",
        "Keep a file",
        form=AttachmentForm,
        answer=AttachmentRecord,
        status=201,
        keyed=True,
    ),
    Route(
        "GET",
        "/attachments/{id}",
        get_attachment,
        "document.view",
        "A kept file",
        media_type="*/*",
    ),
    Route(
        "POST",
        "/documents/{number}/attachments",
        attach_to_document,
        "attachment.edit",
        "Show a kept file with a document",
        request=NewAttached,
        answer=AttachedRecord,
        status=201,
        keyed=True,
    ),
)
