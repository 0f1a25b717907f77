"""The kernel's first tables: catalog."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _category()
    _channel()
    _store()
    _product()
    _barcode()
    _component()
    _product_in_store()


def _category() -> None:
    op.create_table(
        "category",
        sa.Column("id", _ID, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", _ID, nullable=True),
        sa.Column("low_stock", sa.BigInteger(), nullable=True),
        sa.Column("overstock_days", sa.Integer(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["category.id"], name=op.f("fk_category_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("code", name=op.f("uq_category_code")),
    )


def _channel() -> None:
    op.create_table(
        "channel",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("issue_on", sa.Text(), nullable=False),
        sa.Column("stores", sa.Text(), server_default="[]", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("issue_on IN ('paid', 'fulfilled')", name=op.f("ck_channel_issue_on")),
        sa.CheckConstraint("policy IN ('strict', 'permissive')", name=op.f("ck_channel_policy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        sa.UniqueConstraint("name", name=op.f("uq_channel_name")),
    )


def _store() -> None:
    op.create_table(
        "store",
        sa.Column("id", _ID, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("day_cutoff_minutes", sa.Integer(), nullable=False),
        sa.Column("scale_templates", sa.Text(), server_default="[]", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("kind IN ('shop', 'warehouse')", name=op.f("ck_store_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store")),
        sa.UniqueConstraint("code", name=op.f("uq_store_code")),
    )


def _product() -> None:
    op.create_table(
        "product",
        sa.Column("id", _ID, nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("display_unit", sa.Text(), nullable=True),
        sa.Column("display_factor", sa.BigInteger(), nullable=True),
        sa.Column("category_id", _ID, nullable=True),
        sa.Column("family", sa.Text(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("precision", sa.SmallInteger(), nullable=False),
        sa.Column("track_lots", sa.Boolean(), nullable=False),
        sa.Column("shelf_life_days", sa.Integer(), nullable=True),
        sa.Column("low_stock", sa.BigInteger(), nullable=True),
        sa.Column("overstock_days", sa.Integer(), nullable=True),
        sa.Column("max_stock", sa.BigInteger(), nullable=True),
        sa.Column("composition", sa.Text(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("photo_id", _ID, nullable=True),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "composition IN ('none', 'kit', 'service', 'made')", name=op.f("ck_product_composition")
        ),
        sa.CheckConstraint("precision BETWEEN 0 AND 3", name=op.f("ck_product_precision")),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("fk_product_category_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("sku", name=op.f("uq_product_sku")),
    )
    op.create_index(op.f("ix_product_category_id"), "product", ["category_id"], unique=False)
    op.create_index(op.f("ix_product_family"), "product", ["family"], unique=False)
    op.create_index(op.f("ix_product_version"), "product", ["version"], unique=False)


def _barcode() -> None:
    op.create_table(
        "barcode",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("product_id", _ID, nullable=False),
        sa.Column("factor", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("factor >= 1", name=op.f("ck_barcode_factor")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_barcode_product_id")),
        sa.PrimaryKeyConstraint("code", "product_id", name=op.f("pk_barcode")),
    )
    op.create_index(op.f("ix_barcode_product_id"), "barcode", ["product_id"], unique=False)


def _component() -> None:
    op.create_table(
        "component",
        sa.Column("product_id", _ID, nullable=False),
        sa.Column("component_id", _ID, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_component_quantity")),
        sa.ForeignKeyConstraint(
            ["component_id"], ["product.id"], name=op.f("fk_component_component_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_component_product_id")
        ),
        sa.PrimaryKeyConstraint("product_id", "component_id", name=op.f("pk_component")),
    )
    op.create_index(op.f("ix_component_component_id"), "component", ["component_id"], unique=False)


def _product_in_store() -> None:
    op.create_table(
        "product_in_store",
        sa.Column("store_id", _ID, nullable=False),
        sa.Column("product_id", _ID, nullable=False),
        sa.Column("carried", sa.Boolean(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("low_stock", sa.BigInteger(), nullable=True),
        sa.Column("overstock_days", sa.Integer(), nullable=True),
        sa.Column("max_stock", sa.BigInteger(), nullable=True),
        sa.Column("shelf", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_product_in_store_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["store.id"], name=op.f("fk_product_in_store_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", "product_id", name=op.f("pk_product_in_store")),
    )
    op.create_index(
        op.f("ix_product_in_store_product_id"), "product_in_store", ["product_id"], unique=False
    )
