"""Tables of the catalog.

A product's row carries the catalog version of its last change (its barcodes, components and
per-store settings included), so that a cache in any process can drop what changed since.
"""

from __future__ import annotations

import sqlalchemy as sa

from dianku.storage.schema import Id, metadata

store = sa.Table(
    "store",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("day_cutoff_minutes", sa.Integer, nullable=False),
    sa.Column("scale_templates", sa.Text, nullable=False, server_default="[]"),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    sa.CheckConstraint("kind IN ('shop', 'warehouse')", name="kind"),
)

category = sa.Table(
    "category",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("parent_id", Id, sa.ForeignKey("category.id")),
    sa.Column("low_stock", sa.BigInteger),
    sa.Column("overstock_days", sa.Integer),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
)
"""`low_stock` is in thousandths of the base unit: its products may differ in precision."""

product = sa.Table(
    "product",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("sku", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("spec", sa.Text),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("display_unit", sa.Text),
    sa.Column("display_factor", sa.BigInteger),
    sa.Column("category_id", Id, sa.ForeignKey("category.id"), index=True),
    sa.Column("family", sa.Text, index=True),
    sa.Column("price", sa.BigInteger),
    sa.Column("cost", sa.BigInteger),
    sa.Column("precision", sa.SmallInteger, nullable=False),
    sa.Column("track_lots", sa.Boolean, nullable=False),
    sa.Column("shelf_life_days", sa.Integer),
    sa.Column("low_stock", sa.BigInteger),
    sa.Column("overstock_days", sa.Integer),
    sa.Column("max_stock", sa.BigInteger),
    sa.Column("composition", sa.Text, nullable=False),
    sa.Column("search", sa.Text, nullable=False),
    sa.Column("photo_id", Id),
    sa.Column("archived_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False, index=True),
    sa.Column("photo", sa.Text, info={"since": "0017"}),
    sa.Column("open_price_min", sa.BigInteger, info={"since": "0021"}),
    sa.Column("open_price_max", sa.BigInteger, info={"since": "0021"}),
    sa.CheckConstraint("composition IN ('none', 'kit', 'service', 'made')", name="composition"),
    sa.CheckConstraint("precision BETWEEN 0 AND 3", name="precision"),
)
"""`low_stock` and `max_stock` in steps. `search`: folded sku, name, spec, initials, barcodes.

`open_price_min`, `open_price_max`: what anybody who sells may take for one base unit, in minor
units; both NULL where the list price stands. `photo`: the attachment it is shown with. `photo_id`
was never written.
"""

barcode = sa.Table(
    "barcode",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("product_id", Id, sa.ForeignKey("product.id"), primary_key=True, index=True),
    sa.Column("factor", sa.BigInteger, nullable=False),
    sa.Column("price", sa.BigInteger),
    sa.Column("position", sa.Integer, nullable=False, server_default="0"),
    sa.CheckConstraint("factor >= 1", name="factor"),
)
"""One code may stand on several products (一码多品); `factor` base units per pack."""

component = sa.Table(
    "component",
    metadata,
    sa.Column("product_id", Id, sa.ForeignKey("product.id"), primary_key=True),
    sa.Column("component_id", Id, sa.ForeignKey("product.id"), primary_key=True, index=True),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.CheckConstraint("quantity > 0", name="quantity"),
)
"""What one base unit of a kit, service or made product takes, in steps of the component."""

product_in_store = sa.Table(
    "product_in_store",
    metadata,
    sa.Column("store_id", Id, sa.ForeignKey("store.id"), primary_key=True),
    sa.Column("product_id", Id, sa.ForeignKey("product.id"), primary_key=True, index=True),
    sa.Column("carried", sa.Boolean),
    sa.Column("price", sa.BigInteger),
    sa.Column("low_stock", sa.BigInteger),
    sa.Column("overstock_days", sa.Integer),
    sa.Column("max_stock", sa.BigInteger),
    sa.Column("shelf", sa.Text),
)
"""`carried` NULL: decided by the first movement there (`stock_balance.moved`)."""

channel = sa.Table(
    "channel",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("issue_on", sa.Text, nullable=False),
    sa.Column("stores", sa.Text, nullable=False, server_default="[]"),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    sa.CheckConstraint("policy IN ('strict', 'permissive')", name="policy"),
    sa.CheckConstraint("issue_on IN ('paid', 'fulfilled')", name="issue_on"),
)
"""`stores`: JSON list of store codes; empty means every store."""

quick_key = sa.Table(
    "quick_key",
    metadata,
    sa.Column("store_id", Id, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("product_id", Id, sa.ForeignKey("product.id"), nullable=False, index=True),
    sa.Column("colour", sa.SmallInteger, nullable=False),
    info={"since": "0018"},
)
"""Goods that are one tap away at the counter, in their order. `store_id` 0: of every store."""
