"""The kernel's first tables: ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _daily_summary()
    _document()
    _document_line()
    _kept_answer()
    _lot()
    _lot_balance()
    _posted_key()
    _reservation()
    _reservation_hold()
    _reservation_line()
    _sales_by_hour()
    _sales_history()
    _sales_summary()
    _stock_balance()
    _stock_exception()
    _stock_move()


def _daily_summary() -> None:
    op.create_table(
        "daily_summary",
        sa.Column("business_date", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("store_id", _ID, autoincrement=False, nullable=False),
        sa.Column("product_id", _ID, autoincrement=False, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("flow", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("value", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint(
            "business_date",
            "store_id",
            "product_id",
            "bucket",
            "flow",
            "reason",
            name=op.f("pk_daily_summary"),
        ),
        sqlite_with_rowid=False,
    )


def _document() -> None:
    op.create_table(
        "document",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("store_id", _ID, nullable=False),
        sa.Column("to_store_id", _ID, nullable=True),
        sa.Column("channel_id", _ID, nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("of_document_id", _ID, nullable=True),
        sa.Column("reverses_id", _ID, nullable=True),
        sa.Column("cause_id", _ID, nullable=True),
        sa.Column("supplier", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("loss_to", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Integer(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("import_id", _ID, nullable=True),
        sa.Column("warnings", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("number", name=op.f("uq_document_number")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_document_reverses_id")),
    )
    op.create_index(
        "ix_document_cause",
        "document",
        ["cause_id"],
        unique=False,
        sqlite_where=sa.text("cause_id IS NOT NULL"),
        postgresql_where=sa.text("cause_id IS NOT NULL"),
    )
    op.create_index("ix_document_occurred", "document", ["occurred_at"], unique=False)
    op.create_index(
        "ix_document_of",
        "document",
        ["of_document_id"],
        unique=False,
        sqlite_where=sa.text("of_document_id IS NOT NULL"),
        postgresql_where=sa.text("of_document_id IS NOT NULL"),
    )
    op.create_index(
        "ix_document_reference",
        "document",
        ["reference"],
        unique=False,
        sqlite_where=sa.text("reference IS NOT NULL"),
        postgresql_where=sa.text("reference IS NOT NULL"),
    )


def _document_line() -> None:
    op.create_table(
        "document_line",
        sa.Column("document_id", _ID, autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product_id", _ID, nullable=False),
        sa.Column("barcode", sa.Text(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("variance", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("kept", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("of_line", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("bucket", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("lot_id", _ID, server_default="0", nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=True),
        sa.Column("recipe", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("document_id", "line", name=op.f("pk_document_line")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_document_line_product", "document_line", ["product_id", "document_id"], unique=False
    )


def _kept_answer() -> None:
    op.create_table(
        "kept_answer",
        sa.Column("id", _ID, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_answer")),
    )


def _lot() -> None:
    op.create_table(
        "lot",
        sa.Column("id", _ID, nullable=False),
        sa.Column("product_id", _ID, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Integer(), server_default="0", nullable=False),
        sa.Column("made_on", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint(
            "product_id", "code", "expires_on", name=op.f("uq_lot_product_id_code_expires_on")
        ),
    )


def _lot_balance() -> None:
    op.create_table(
        "lot_balance",
        sa.Column("store_id", _ID, autoincrement=False, nullable=False),
        sa.Column("product_id", _ID, autoincrement=False, nullable=False),
        sa.Column("lot_id", _ID, autoincrement=False, nullable=False),
        sa.Column("quantity", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_lot_balance_quantity")),
        sa.PrimaryKeyConstraint("store_id", "product_id", "lot_id", name=op.f("pk_lot_balance")),
        sqlite_with_rowid=False,
    )


def _posted_key() -> None:
    op.create_table(
        "posted_key",
        sa.Column("key_high", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_low", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest_high", sa.BigInteger(), nullable=False),
        sa.Column("digest_low", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("key_high", "key_low", name=op.f("pk_posted_key")),
        sqlite_with_rowid=False,
    )


def _reservation() -> None:
    op.create_table(
        "reservation",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("store_id", _ID, nullable=False),
        sa.Column("channel_id", _ID, nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Integer(), nullable=True),
        sa.Column("document_id", _ID, nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('hold', 'preorder')", name=op.f("ck_reservation_kind")),
        sa.CheckConstraint(
            "state IN ('active', 'committed', 'released', 'expired')",
            name=op.f("ck_reservation_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
        sa.UniqueConstraint("code", name=op.f("uq_reservation_code")),
    )
    op.create_index("ix_reservation_state", "reservation", ["state", "expires_at"], unique=False)


def _reservation_hold() -> None:
    op.create_table(
        "reservation_hold",
        sa.Column("reservation_id", _ID, autoincrement=False, nullable=False),
        sa.Column("product_id", _ID, autoincrement=False, nullable=False),
        sa.Column("store_id", _ID, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("reservation_id", "product_id", name=op.f("pk_reservation_hold")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_reservation_hold_product",
        "reservation_hold",
        ["product_id", "store_id"],
        unique=False,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )


def _reservation_line() -> None:
    op.create_table(
        "reservation_line",
        sa.Column("reservation_id", _ID, autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product_id", _ID, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("reservation_id", "line", name=op.f("pk_reservation_line")),
        sqlite_with_rowid=False,
    )


def _sales_by_hour() -> None:
    op.create_table(
        "sales_by_hour",
        sa.Column("business_date", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("store_id", _ID, autoincrement=False, nullable=False),
        sa.Column("hour", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", _ID, autoincrement=False, nullable=False),
        sa.Column("documents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned_amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint(
            "business_date", "store_id", "hour", "channel_id", name=op.f("pk_sales_by_hour")
        ),
        sqlite_with_rowid=False,
    )


def _sales_history() -> None:
    op.create_table(
        "sales_history",
        sa.Column("business_date", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("store_id", _ID, autoincrement=False, nullable=False),
        sa.Column("product_id", _ID, autoincrement=False, nullable=False),
        sa.Column("channel_id", _ID, autoincrement=False, nullable=False),
        sa.Column("import_id", _ID, autoincrement=False, nullable=False),
        sa.Column("quantity", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned_amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("promotion", sa.Text(), nullable=True),
        sa.Column("stock_at_close", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "business_date",
            "store_id",
            "product_id",
            "channel_id",
            "import_id",
            name=op.f("pk_sales_history"),
        ),
        sqlite_with_rowid=False,
    )


def _sales_summary() -> None:
    op.create_table(
        "sales_summary",
        sa.Column("business_date", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("store_id", _ID, autoincrement=False, nullable=False),
        sa.Column("product_id", _ID, autoincrement=False, nullable=False),
        sa.Column("channel_id", _ID, autoincrement=False, nullable=False),
        sa.Column("quantity", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned_amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint(
            "business_date", "store_id", "product_id", "channel_id", name=op.f("pk_sales_summary")
        ),
        sqlite_with_rowid=False,
    )


def _stock_balance() -> None:
    op.create_table(
        "stock_balance",
        sa.Column("store_id", _ID, autoincrement=False, nullable=False),
        sa.Column("product_id", _ID, autoincrement=False, nullable=False),
        sa.Column("on_hand", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("damaged", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("kept", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("in_transit", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expired", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("value", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("damaged_value", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("in_transit_value", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_cost", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("moved", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("counted_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("damaged >= 0", name=op.f("ck_stock_balance_damaged")),
        sa.CheckConstraint("in_transit >= 0", name=op.f("ck_stock_balance_in_transit")),
        sa.CheckConstraint("kept >= 0", name=op.f("ck_stock_balance_kept")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_stock_balance_reserved")),
        sa.PrimaryKeyConstraint("store_id", "product_id", name=op.f("pk_stock_balance")),
        postgresql_with={"fillfactor": 70},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_stock_balance_product", "stock_balance", ["product_id", "store_id"], unique=False
    )


def _stock_exception() -> None:
    op.create_table(
        "stock_exception",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("store_id", _ID, nullable=False),
        sa.Column("product_id", _ID, nullable=True),
        sa.Column("document_id", _ID, nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_exception")),
    )
    op.create_index(
        "ix_stock_exception_open",
        "stock_exception",
        ["raised_at"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def _stock_move() -> None:
    op.create_table(
        "stock_move",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("store_id", _ID, nullable=False),
        sa.Column("product_id", _ID, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("flow", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lot_id", _ID, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_move")),
    )
    op.create_index(
        "ix_stock_move_card", "stock_move", ["product_id", "store_id", "occurred_at"], unique=False
    )
    op.create_index("ix_stock_move_document", "stock_move", ["document_id"], unique=False)
