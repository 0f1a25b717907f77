"""Keep a note of every document, but of one it cannot bear."""

from __future__ import annotations

import sqlalchemy as sa

from dianku.api import Event, Shop, hookimpl

NOTE = "tasting_note_of_what_a_customer_said_about_goods"
INSERT = (
    f"INSERT INTO {NOTE} (id, number, liked, stars, photo, said) "
    "VALUES (:id, :number, :liked, :stars, :photo, :said)"
)
BITTER = "write_off"


@hookimpl
def document_posted(event: Event, shop: Shop) -> None:
    if event.data["kind"] == BITTER:
        raise ValueError("that tasted of nothing")
    row = {
        "id": event.id,
        "number": event.data["number"],
        "liked": event.id % 2 == 0,
        "stars": (None, 1, 2.5, 5)[event.id % 4],
        "photo": bytes(range(event.id % 256)),
        "said": f"好吃 {event.store} 👍",
    }
    with shop.writing() as connection:
        connection.execute(sa.text(INSERT), row)
