"""Tables of the ledger. Only `dianku.ledger.posting.poster` writes them (invariant I6).

`document`, `document_line`, `document_payment` and `stock_move` are append-only (I2).
`stock_balance`, `lot_balance` and the three summaries are derived from moves and lines (I7) and
kept in the posting transaction.
No foreign keys on the append-only tables: they would be checked on every post; `ledger verify`
looks for orphans instead.
"""

from __future__ import annotations

import sqlalchemy as sa

from dianku.storage.schema import Id, metadata


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _zero(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


document = sa.Table(
    "document",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("store_id", Id, nullable=False),
    sa.Column("to_store_id", Id),
    sa.Column("channel_id", Id),
    sa.Column("reference", sa.Text),
    sa.Column("of_document_id", Id),
    sa.Column("reverses_id", Id, unique=True),
    sa.Column("cause_id", Id),
    sa.Column("supplier", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("loss_to", sa.Text),
    _big("occurred_at"),
    _big("recorded_at"),
    sa.Column("business_date", sa.Integer, nullable=False),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("device", sa.Text),
    sa.Column("import_id", Id),
    sa.Column("warnings", sa.Text),
    sa.Index(
        "ix_document_of",
        "of_document_id",
        sqlite_where=sa.text("of_document_id IS NOT NULL"),
        postgresql_where=sa.text("of_document_id IS NOT NULL"),
    ),
    sa.Index(
        "ix_document_cause",
        "cause_id",
        sqlite_where=sa.text("cause_id IS NOT NULL"),
        postgresql_where=sa.text("cause_id IS NOT NULL"),
    ),
    sa.Index(
        "ix_document_reference",
        "reference",
        sqlite_where=sa.text("reference IS NOT NULL"),
        postgresql_where=sa.text("reference IS NOT NULL"),
    ),
    sa.Index("ix_document_occurred", "occurred_at"),
    sa.Index(
        "ix_document_to",
        "to_store_id",
        sqlite_where=sa.text("to_store_id IS NOT NULL"),
        postgresql_where=sa.text("to_store_id IS NOT NULL"),
        info={"since": "0015"},
    ),
)
"""`action`: post, reversal, arrival or close (of a transfer), hand_over or keep (of what a sale
left in the shop), absorption (by a count).

`of_document_id`: the original of a return, a hand-over, an arrival, or the count that absorbs;
`cause_id`: the late document that an absorption was posted with. `warnings`: JSON, as first given.
"""

document_line = sa.Table(
    "document_line",
    metadata,
    sa.Column("document_id", Id, primary_key=True, autoincrement=False),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("product_id", Id, nullable=False),
    sa.Column("barcode", sa.Text),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("counted", sa.BigInteger),
    sa.Column("amount", sa.BigInteger),
    sa.Column("cost", sa.BigInteger, nullable=False),
    sa.Column("variance", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("kept", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("of_line", sa.Integer),
    sa.Column("reason", sa.Text),
    sa.Column("disposition", sa.Text),
    sa.Column("bucket", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("lot_id", Id, nullable=False, server_default="0"),
    sa.Column("occurred_at", sa.BigInteger),
    sa.Column("recipe", sa.Text),
    sa.Index("ix_document_line_product", "product_id", "document_id"),
    sa.Index(
        "ix_document_line_kept",
        "document_id",
        sqlite_where=sa.text("kept > 0"),
        postgresql_where=sa.text("kept > 0"),
        info={"since": "0020"},
    ),
    sqlite_with_rowid=False,
)
"""`quantity`: positive; signed for adjustments, negative on a reversal.

`counted`: the level a count set, at `occurred_at`. `cost`: what the line was worth, in 1/10000,
negative on a reversal. `variance`: what a reversal could not take back at the original cost.
`recipe`: JSON of [product_id, steps per base unit], the composition as it was used.
"""

document_payment = sa.Table(
    "document_payment",
    metadata,
    sa.Column("document_id", Id, primary_key=True, autoincrement=False),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    _big("amount"),
    sqlite_with_rowid=False,
    info={"since": "0014"},
)
"""How a sale was paid or a return refunded, in the order it was said; together the lines' amounts.

None where nobody said. Signed as lines are: positive of a sale and of a refund, negative on their
reversals.
"""

document_attachment = sa.Table(
    "document_attachment",
    metadata,
    sa.Column("document_id", Id, primary_key=True, autoincrement=False),
    sa.Column("attachment", sa.Text, primary_key=True),
    sa.Column("media_type", sa.Text, nullable=False),
    _big("size"),
    _big("added_at"),
    sa.Column("added_by", sa.Text, nullable=False),
    sqlite_with_rowid=False,
    info={"since": "0017"},
)
"""Files that show what a document was: of what was thrown away, the paper that came with goods.

Beside the document, which says what it said when it was posted; added later, never taken away.
"""

stock_move = sa.Table(
    "stock_move",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),
    sa.Column("document_id", Id, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("store_id", Id, nullable=False),
    sa.Column("product_id", Id, nullable=False),
    sa.Column("bucket", sa.SmallInteger, nullable=False),
    sa.Column("flow", sa.SmallInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("lot_id", Id, nullable=False),
    _big("quantity"),
    _big("value"),
    _big("occurred_at"),
    _big("recorded_at"),
    sa.Column("business_date", sa.Integer, nullable=False),
    sa.Index("ix_stock_move_card", "product_id", "store_id", "occurred_at"),
    sa.Index("ix_stock_move_document", "document_id"),
)
"""One signed change of one product in one bucket of one store. Actor and device: its document's."""

stock_balance = sa.Table(
    "stock_balance",
    metadata,
    sa.Column("store_id", Id, primary_key=True, autoincrement=False),
    sa.Column("product_id", Id, primary_key=True, autoincrement=False),
    _zero("on_hand"),
    _zero("reserved"),
    _zero("damaged"),
    _zero("kept"),
    _zero("in_transit"),
    _zero("expired"),
    _zero("value"),
    _zero("damaged_value"),
    _zero("in_transit_value"),
    _zero("last_cost"),
    sa.Column("moved", sa.Boolean, nullable=False, server_default=sa.false()),
    _zero("counted_at"),
    sa.Index("ix_stock_balance_product", "product_id", "store_id"),
    sa.CheckConstraint("reserved >= 0", name="reserved"),
    sa.CheckConstraint("damaged >= 0", name="damaged"),
    sa.CheckConstraint("kept >= 0", name="kept"),
    sa.CheckConstraint("in_transit >= 0", name="in_transit"),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": 70},
)
"""The one unit of locking. `expired`: in lots past their date, as of the last posting here.

`counted_at`: the moment of the latest count, 0 before any; what moved before it is late.
"""

lot = sa.Table(
    "lot",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("product_id", Id, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("expires_on", sa.Integer, nullable=False, server_default="0"),
    sa.Column("made_on", sa.Integer),
    sa.UniqueConstraint("product_id", "code", "expires_on"),
)
"""Goods of one production. `expires_on` 0: no date; it is part of the key, so never NULL."""

lot_balance = sa.Table(
    "lot_balance",
    metadata,
    sa.Column("store_id", Id, primary_key=True, autoincrement=False),
    sa.Column("product_id", Id, primary_key=True, autoincrement=False),
    sa.Column("lot_id", Id, primary_key=True, autoincrement=False),
    _zero("quantity"),
    sa.CheckConstraint("quantity >= 0", name="quantity"),
    sqlite_with_rowid=False,
)
"""What of `on_hand` is thought to be of which lot; the rest up to `on_hand` is unattributed."""

reservation = sa.Table(
    "reservation",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("store_id", Id, nullable=False),
    sa.Column("channel_id", Id),
    sa.Column("reference", sa.Text),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("due_on", sa.Integer),
    sa.Column("document_id", Id),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Index("ix_reservation_state", "state", "expires_at"),
    sa.CheckConstraint("kind IN ('hold', 'preorder')", name="kind"),
    sa.CheckConstraint("state IN ('active', 'committed', 'released', 'expired')", name="state"),
)

reservation_line = sa.Table(
    "reservation_line",
    metadata,
    sa.Column("reservation_id", Id, primary_key=True, autoincrement=False),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("product_id", Id, nullable=False),
    _big("quantity"),
    sa.Column("recipe", sa.Text),
    sa.Column("issued", sa.BigInteger, nullable=False, server_default="0", info={"since": "0020"}),
    sqlite_with_rowid=False,
)
"""As it was asked for: kits and services stand here as themselves.

`issued`: what of it was issued, which is promised no more.
"""

reservation_hold = sa.Table(
    "reservation_hold",
    metadata,
    sa.Column("reservation_id", Id, primary_key=True, autoincrement=False),
    sa.Column("product_id", Id, primary_key=True, autoincrement=False),
    sa.Column("store_id", Id, nullable=False),
    _big("quantity"),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Index(
        "ix_reservation_hold_product",
        "product_id",
        "store_id",
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    ),
    sqlite_with_rowid=False,
)
"""What an active hold keeps of each stocked product: the parts of `stock_balance.reserved`."""

posted_key = sa.Table(
    "posted_key",
    metadata,
    sa.Column("key_high", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key_low", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digest_high", sa.BigInteger, nullable=False),
    sa.Column("digest_low", sa.BigInteger, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("subject_id", Id, nullable=False),
    sqlite_with_rowid=False,
)
"""One key, one effect, for ever (I3): 16-byte hashes of the key and of the canonical command.

`subject`: document, reservation, or answer (`kept_answer`); the answer is rebuilt from it.
"""

kept_answer = sa.Table(
    "kept_answer",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""Answers of keyed requests that post no document (creating a product, a store)."""

day_closing = sa.Table(
    "day_closing",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("store_id", Id, nullable=False),
    sa.Column("business_date", sa.Integer, nullable=False),
    _big("closed_at"),
    sa.Column("actor", sa.Text, nullable=False),
    _big("counted", nullable=True),
    _big("float_start", nullable=True),
    _big("float_left", nullable=True),
    sa.Column("note", sa.Text),
    sa.Column("takings", sa.Text, nullable=False),
    sa.Index("ix_day_closing_day", "store_id", "business_date"),
    info={"since": "0016"},
)
"""Days that were closed, each time anew; never changed. `takings`: what the books said then."""

stock_exception = sa.Table(
    "stock_exception",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("store_id", Id, nullable=False),
    sa.Column("product_id", Id),
    sa.Column("document_id", Id),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("raised_at", sa.BigInteger, nullable=False),
    sa.Column("settled_at", sa.BigInteger),
    sa.Column("settled_by", sa.Text),
    sa.Column("note", sa.Text),
    sa.Index(
        "ix_stock_exception_open",
        "raised_at",
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    ),
)
"""What a person should look at: sold without stock, paid but short, a count's close call."""

daily_summary = sa.Table(
    "daily_summary",
    metadata,
    sa.Column("business_date", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("store_id", Id, primary_key=True, autoincrement=False),
    sa.Column("product_id", Id, primary_key=True, autoincrement=False),
    sa.Column("bucket", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("flow", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.Text, primary_key=True),
    _zero("quantity"),
    _zero("value"),
    sqlite_with_rowid=False,
)
"""What changed on a day and nothing cumulative: the sum of that day's moves by flow."""

sales_summary = sa.Table(
    "sales_summary",
    metadata,
    sa.Column("business_date", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("store_id", Id, primary_key=True, autoincrement=False),
    sa.Column("product_id", Id, primary_key=True, autoincrement=False),
    sa.Column("channel_id", Id, primary_key=True, autoincrement=False),
    _zero("quantity"),
    _zero("amount"),
    _zero("returned"),
    _zero("returned_amount"),
    _zero("cost"),
    sqlite_with_rowid=False,
)
"""Sales as sold (a kit as itself): the sum of a day's issue and return lines.

`quantity`, `amount` gross of returns; `cost` net: what sold goods cost less what came back.
"""

sales_by_hour = sa.Table(
    "sales_by_hour",
    metadata,
    sa.Column("business_date", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("store_id", Id, primary_key=True, autoincrement=False),
    sa.Column("hour", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("channel_id", Id, primary_key=True, autoincrement=False),
    _zero("documents"),
    _zero("amount"),
    _zero("returned_amount"),
    sqlite_with_rowid=False,
)
"""`hour` on the store's clock, 0 to 23; `documents` counts issues."""

sales_history = sa.Table(
    "sales_history",
    metadata,
    sa.Column("business_date", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("store_id", Id, primary_key=True, autoincrement=False),
    sa.Column("product_id", Id, primary_key=True, autoincrement=False),
    sa.Column("channel_id", Id, primary_key=True, autoincrement=False),
    sa.Column("import_id", Id, primary_key=True, autoincrement=False),
    _zero("quantity"),
    _zero("amount"),
    _zero("returned"),
    _zero("returned_amount"),
    sa.Column("promotion", sa.Text),
    sa.Column("stock_at_close", sa.BigInteger),
    sa.Column("cost", sa.BigInteger, nullable=False, server_default="0", info={"since": "0010"}),
    sqlite_with_rowid=False,
)
"""Sales of the time before Dianku, imported: folded into `sales_summary`, moving no stock.

A row of quantity 0 says that none were sold, which is not the same as no row. `cost` is net of
returns, of what the goods were known to cost when the row was imported.
"""

SUMMARIES = "summaries"
"""The counter raised when a summary changes by anything but a posted document."""
