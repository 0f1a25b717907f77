"""What can be asked of the catalog, and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from dianku.wire import Answer, Code, Name, Number, Numeral, Request

Days = Annotated[int, Meta(ge=1, le=36_500)]
BarcodeText = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$")
]
Unit = Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$")]
Cutoff = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](?!\n)$", examples=["04:00"])]


class ScaleTemplate(Request, frozen=True):
    """How a store's scale builds its labels, by the first digits.

    `template` in the trade's letters: F flag (must equal `prefix`), W item code, E amount in
    minor units, N weight in grams (or count), C check digit; 13 or 18 long.
    """

    prefix: Annotated[str, Meta(pattern=r"^[0-9]{1,2}(?!\n)$")]
    template: Annotated[str, Meta(pattern=r"^F{1,2}W{5,6}(E{5}|N{5}|E{5}N{5}|N{5}E{5})C(?!\n)$")]


class NewStore(Request, frozen=True):
    """A place that holds stock."""

    code: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}(?!\n)$")]
    name: Name
    kind: Literal["shop", "warehouse"] = "shop"
    timezone: str = "Asia/Shanghai"
    day_cutoff: Cutoff = "00:00"
    scale_templates: list[ScaleTemplate] = []


class StorePatch(Request, frozen=True):
    """Changes to a store; what is left out stays."""

    name: Name | UnsetType = UNSET
    kind: Literal["shop", "warehouse"] | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    day_cutoff: Cutoff | UnsetType = UNSET
    scale_templates: list[ScaleTemplate] | UnsetType = UNSET


class StoreRecord(Answer):
    """A store."""

    code: str
    name: str
    kind: str
    timezone: str
    day_cutoff: str
    scale_templates: list[ScaleTemplate]


class NewCategory(Request, frozen=True):
    """A category; its lines hold for products that set none."""

    code: Code
    name: Name
    parent: Code | None = None
    low_stock: Number | None = None
    overstock_days: Days | None = None


class CategoryPatch(Request, frozen=True):
    """Changes to a category; null clears, what is left out stays."""

    name: Name | UnsetType = UNSET
    parent: Code | UnsetType | None = UNSET
    low_stock: Number | UnsetType | None = UNSET
    overstock_days: Days | UnsetType | None = UNSET


class CategoryRecord(Answer):
    """A category."""

    code: str
    name: str
    parent: str | None
    low_stock: Numeral | None
    overstock_days: int | None


class NewBarcode(Request, frozen=True):
    """A code on the pack and how many base units the pack holds, with its own price if it has."""

    code: BarcodeText
    factor: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    price: Number | None = None


class NewComponent(Request, frozen=True):
    """What one base unit of the product takes of another."""

    sku: Code
    quantity: Number


class Display(Request, frozen=True):
    """A larger unit to show stock in: 19 bottles + 250 ml is `{unit: 瓶, factor: 500}`."""

    unit: Unit
    factor: Annotated[int, Meta(ge=1, le=1_000_000)]


class OpenPrice(Request, frozen=True):
    """What who sells may take for one base unit without a right to change prices; both ends count.

    With `price` null the till asks for it; with a `price` that is where it begins.
    """

    min: Number | None = None
    max: Number | None = None


Composition = Literal["none", "kit", "service", "made"]
Photo = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
"""The id of an attachment."""
Precision = Annotated[int, Meta(ge=0, le=3)]


class NewProduct(Request, frozen=True):
    """A product, one per specification."""

    sku: Code
    name: Name
    unit: Unit
    spec: Annotated[str, Meta(max_length=200)] | None = None
    display: Display | None = None
    category: Code | None = None
    barcodes: Annotated[list[NewBarcode], Meta(max_length=100)] = []
    price: Number | None = None
    open_price: OpenPrice | None = None
    cost: Number | None = None
    precision: Precision = 0
    track_lots: bool = False
    shelf_life_days: Days | None = None
    low_stock: Number | None = None
    overstock_days: Days | None = None
    max_stock: Number | None = None
    composition: Composition = "none"
    components: Annotated[list[NewComponent], Meta(max_length=200)] = []
    family: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    photo: Photo | None = None


class ProductPatch(Request, frozen=True):
    """Changes to a product; null clears, what is left out stays; lists replace the list."""

    name: Name | UnsetType = UNSET
    unit: Unit | UnsetType = UNSET
    spec: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET
    display: Display | UnsetType | None = UNSET
    category: Code | UnsetType | None = UNSET
    barcodes: Annotated[list[NewBarcode], Meta(max_length=100)] | UnsetType = UNSET
    price: Number | UnsetType | None = UNSET
    open_price: OpenPrice | UnsetType | None = UNSET
    cost: Number | UnsetType | None = UNSET
    precision: Precision | UnsetType = UNSET
    track_lots: bool | UnsetType = UNSET
    shelf_life_days: Days | UnsetType | None = UNSET
    low_stock: Number | UnsetType | None = UNSET
    overstock_days: Days | UnsetType | None = UNSET
    max_stock: Number | UnsetType | None = UNSET
    composition: Composition | UnsetType = UNSET
    components: Annotated[list[NewComponent], Meta(max_length=200)] | UnsetType = UNSET
    family: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType | None = UNSET
    photo: Photo | UnsetType | None = UNSET


class BarcodeRecord(Answer):
    """A barcode of a product."""

    code: str
    factor: int
    price: Numeral | None


class ComponentRecord(Answer):
    """A component of a product."""

    sku: str
    quantity: Numeral


class DisplayRecord(Answer):
    """The unit stock is shown in."""

    unit: str
    factor: int


class OpenPriceRecord(Answer):
    """The bounds of a price that is said at the till, for one base unit; null: no bound."""

    min: Numeral | None
    max: Numeral | None


class StoreSettingsRecord(Answer):
    """What is particular to a product in one store; `carried` as it is in effect."""

    store: str
    carried: bool
    price: Numeral | None
    low_stock: Numeral | None
    overstock_days: int | None
    max_stock: Numeral | None
    shelf: str | None


class ProductRecord(Answer):
    """A product. `cost` is absent (null) without the permission `cost.view`."""

    sku: str
    name: str
    spec: str | None
    unit: str
    display: DisplayRecord | None
    category: str | None
    barcodes: list[BarcodeRecord]
    price: Numeral | None
    open_price: OpenPriceRecord | None
    cost: Numeral | None
    precision: int
    track_lots: bool
    shelf_life_days: int | None
    low_stock: Numeral | None
    overstock_days: int | None
    max_stock: Numeral | None
    composition: str
    components: list[ComponentRecord]
    family: str | None
    archived: bool
    stores: list[StoreSettingsRecord] | None = None
    photo: str | None = None


class ProductPage(Answer):
    """A page of products; `next_cursor` null at the end."""

    items: list[ProductRecord]
    next_cursor: str | None


class StoreSettings(Request, frozen=True):
    """What is particular to a product in one store; null clears, what is left out stays."""

    carried: bool | UnsetType | None = UNSET
    price: Number | UnsetType | None = UNSET
    low_stock: Number | UnsetType | None = UNSET
    overstock_days: Days | UnsetType | None = UNSET
    max_stock: Number | UnsetType | None = UNSET
    shelf: Annotated[str, Meta(max_length=64)] | UnsetType | None = UNSET


class NewChannel(Request, frozen=True):
    """A way goods are sold by, and whether it may sell what the books do not show."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}(?!\n)$")]
    kind: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}(?!\n)$")] = "webhook"
    policy: Literal["strict", "permissive"] = "strict"
    issue_on: Literal["paid", "fulfilled"] = "paid"
    stores: list[Code] = []


class ChannelPatch(Request, frozen=True):
    """Changes to a channel; what is left out stays."""

    policy: Literal["strict", "permissive"] | UnsetType = UNSET
    issue_on: Literal["paid", "fulfilled"] | UnsetType = UNSET
    stores: list[Code] | UnsetType = UNSET


class ChannelRecord(Answer):
    """A channel."""

    name: str
    kind: str
    policy: str
    issue_on: str
    stores: list[str]


class ScanStock(Answer):
    """Stock of what was scanned, in one store."""

    store: str
    on_hand: Numeral
    reserved: Numeral
    available: Numeral


class ScanMatch(Answer):
    """One product a code may stand for. `quantity` and `amount` when the label says them."""

    sku: str
    name: str
    spec: str | None
    unit: str
    factor: int
    price: Numeral | None
    open_price: OpenPriceRecord | None
    quantity: Numeral | None
    amount: Numeral | None
    lot: str | None
    made_on: str | None
    expires_on: str | None
    composition: str
    photo: str | None
    stock: ScanStock | None


class ScanAnswer(Answer):
    """What a code may stand for; several when one barcode is on several goods."""

    matches: list[ScanMatch]
