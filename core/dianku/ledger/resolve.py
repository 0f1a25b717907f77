"""From the caller's words to a posting: barcodes to products, decimals to steps.

All that is wrong with a document is found in one pass.

Pure but for the catalog it reads. Whatever is looked up must be held by that state of it
(`needs` says what); what is refused is refused with every wrong field named, before anything is
locked. The poster resolves again if the catalog has changed in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from attrs import define, field

from dianku.catalog.records import Channel, Product, Store
from dianku.catalog.scan import Reading, candidates, read_code
from dianku.catalog.snapshot import CatalogState
from dianku.clock import day_number, day_of, to_ms
from dianku.context import Context
from dianku.errors import NumberRefused, Problem
from dianku.ledger.commands import Line, Posting
from dianku.ledger.composition import parts_of, recipe_of
from dianku.ledger.flows import Bucket
from dianku.ledger.payments import resolve_payments
from dianku.ledger.pricing import is_judged, price_changed
from dianku.ledger.requests import NewDocument, NewLine, NewReservation
from dianku.ledger.rights import lacking
from dianku.ledger.rules import HEAD_FIELDS, KINDS, KindRule
from dianku.ledger.wrong_fields import Errors
from dianku.quantity import (
    AMOUNT_MAX,
    MINOR_DIGITS,
    QUANTITY_MAX,
    amount_of,
    format_amount,
    format_quantity,
    parse_amount,
    scaled,
)

DAY_MS = 86_400_000
AHEAD_MS = 120_000
"""How far in the future a movement may claim to lie: two minutes of clock error."""

FIRST_DAY, LAST_DAY = 1, day_number(date.max)
"""Bounds of a date that goods expire on: 0 stands for no date."""

NO_STORE = Store(0, "", "", "shop", "UTC", 0)
"""Stands in for a store that does not exist while the rest of what is wrong is looked for."""

_CENT = Decimal(1).scaleb(-MINOR_DIGITS)
_DIGITS = 12
"""Numbers of more digits before or after the point are refused without being multiplied."""


def needs(new: NewDocument | NewReservation, catalog: CatalogState) -> tuple[set[str], set[str]]:
    """The (skus, barcodes) the catalog must hold before `new` can be resolved."""
    skus = {line.sku for line in new.lines if line.sku is not None}
    codes: set[str] = set()
    if isinstance(new, NewDocument):
        store = catalog.stores.get(new.store)
        for line in new.lines:
            if line.barcode is not None:
                codes |= candidates(line.barcode, store)
    return skus | codes, codes


def resolve_document(
    new: NewDocument,
    *,
    catalog: CatalogState,
    ctx: Context,
    now_ms: int,
    backfill_days: Callable[[], int],
    import_id: int | None = None,
) -> Posting | Problem:
    """Resolve a document, or say everything that is wrong with it."""
    rule = KINDS[new.kind]
    errors = Errors()
    store = catalog.stores.get(new.store)
    denied = lacking(new, rule, catalog, ctx)
    if denied is not None:
        return denied
    if store is None:
        errors.add("/store", "unknown_store", name=new.store)
        store = NO_STORE
    channel = _channel(new, rule, catalog, errors)
    to_store = _destination(new, catalog, errors)
    for name in HEAD_FIELDS:
        if getattr(new, name) is not None and name not in rule.head_fields:
            errors.add(f"/{name}", "not_for_kind", kind=new.kind)
    offset = now_ms - to_ms(new.sent_at) if new.sent_at is not None else 0
    occurred_at = now_ms if new.occurred_at is None else to_ms(new.occurred_at) + offset
    check_time("/occurred_at", occurred_at, now_ms, errors)
    judged = is_judged(new.kind, ctx)
    lines = _LineResolver(new, rule, store, catalog, errors, now_ms, offset, judged).resolve()
    payments = resolve_payments(new, lines, errors) if new.payments else ()
    if errors.found:
        return Problem("invalid", errors=errors.found)
    oldest = min([occurred_at, *(x.occurred_at for x in lines if x.occurred_at is not None)])
    if too_old(now_ms - oldest, backfill_days) and not (new.fact or ctx.may("backfill")):
        return Problem("forbidden", {"permission": "backfill"})
    permissive = rule.permissive_channel and channel is not None and channel.policy == "permissive"
    strict = not permissive if new.policy is None else new.policy == "strict"
    return Posting(
        kind=new.kind,
        store=store,
        lines=tuple(lines),
        strict=strict and not new.fact,
        occurred_at=occurred_at,
        catalog_version=catalog.version,
        to_store=to_store,
        channel=channel,
        reference=new.reference,
        of_document=new.of_document,
        supplier=new.supplier,
        note=new.note,
        partial=new.partial,
        fact=new.fact,
        timed=new.occurred_at is not None,
        import_id=import_id,
        payments=payments,
        price_changed=price_changed(lines) if judged else None,
    )


def too_old(age_ms: int, backfill_days: Callable[[], int]) -> bool:
    """Whether what moved so long ago needs the permission `backfill`."""
    # The setting may have to be looked up, and what happened today is never too old.
    return age_ms > DAY_MS and age_ms > backfill_days() * DAY_MS


def _channel(
    new: NewDocument, rule: KindRule, catalog: CatalogState, errors: Errors
) -> Channel | None:
    if "channel" not in rule.head_fields:
        return None
    name = new.channel or "counter"
    channel = catalog.channels.get(name)
    if channel is None:
        errors.add("/channel", "unknown_channel", name=name)
    elif channel.stores and new.store in catalog.stores and new.store not in channel.stores:
        errors.add("/channel", "channel_not_in_store", name=name, store=new.store)
    return channel


def _destination(new: NewDocument, catalog: CatalogState, errors: Errors) -> Store | None:
    if new.kind != "transfer":
        return None
    if new.to_store is None:
        errors.add("/to_store", "missing")
        return None
    store = catalog.stores.get(new.to_store)
    if store is None:
        errors.add("/to_store", "unknown_store", name=new.to_store)
    elif new.to_store == new.store:
        errors.add("/to_store", "same_store")
    return store


def check_time(pointer: str, moment_ms: int, now_ms: int, errors: Errors) -> None:
    """Note a moment that lies ahead, or before all that is reckoned with."""
    if moment_ms > now_ms + AHEAD_MS:
        errors.add(pointer, "in_future", minutes=AHEAD_MS // 60_000)
    elif moment_ms < 0:
        errors.add(pointer, "too_old")


@define
class _LineResolver:
    """Makes a `Line` of each line of a document; notes what is wrong and goes on.

    `line`, `index`: the one at hand. One resolver serves a document, as most of what a line is
    resolved by is the document's.
    """

    new: NewDocument
    rule: KindRule
    store: Store
    catalog: CatalogState
    errors: Errors
    now_ms: int
    offset: int
    judged: bool
    index: int = 0
    line: NewLine = field(init=False)

    def resolve(self) -> list[Line]:
        """The lines that can be resolved, in their order."""
        lines = []
        for index, line in enumerate(self.new.lines):
            self.index, self.line = index, line
            resolved = self._resolve()
            if resolved is not None:
                lines.append(resolved)
        return lines

    def _at(self, name: str) -> str:
        return f"/lines/{self.index}/{name}"

    def _resolve(self) -> Line | None:
        line = self.line
        self._check_fields()
        reading = self._product()
        if reading is None:
            self._check_signs()
            return None
        product = reading.product
        if product.archived and not (self.rule.archived or self.new.fact):
            self.errors.add(self._at(self._name()), "archived", name=product.sku)
        if not product.stocked and not self.rule.composed:
            self.errors.add(self._at(self._name()), "no_own_stock", name=product.sku)
            self._check_signs()
            return None
        if self.new.kind == "production" and product.composition != "made":
            self.errors.add(self._at(self._name()), "not_made", name=product.sku)
            self._check_signs()
            return None
        quantity, counted = self._measure(reading)
        recipe = self._recipe(product)
        lot, expires_on, made_on = self._lot(reading)
        occurred_at = None
        if line.occurred_at is not None:
            occurred_at = to_ms(line.occurred_at) + self.offset
            check_time(self._at("occurred_at"), occurred_at, self.now_ms, self.errors)
        if product.stocked:
            parts: tuple[tuple[Product, int], ...] = ((product, quantity),)
        else:
            parts = parts_of(product, quantity, recipe, self.catalog)
        return Line(
            number=self.index + 1,
            product=product,
            quantity=quantity,
            parts=parts,
            recipe=recipe,
            amount=self._amount(reading, quantity),
            barcode=line.barcode,
            counted=counted,
            lot=lot,
            made_on=made_on,
            expires_on=expires_on,
            reason=line.reason,
            disposition=line.disposition
            or ("shelf" if self.new.kind == "customer_return" else None),
            of_line=line.of_line,
            bucket=Bucket.DAMAGED if line.bucket == "damaged" else Bucket.SELLABLE,
            kept=self._kept(product, quantity),
            occurred_at=occurred_at,
            unit_cost=None if counted is None else self._counted_cost(),
            listed=self._listed(reading, quantity) if self.judged else None,
        )

    def _name(self) -> str:
        return "sku" if self.line.sku is not None else "barcode"

    def _check_fields(self) -> None:
        line = self.line
        for name in self.rule.refused:
            if getattr(line, name) is not None:
                self.errors.add(self._at(name), "not_for_kind", kind=self.new.kind)
        if line.occurred_at is not None and line.counted is None:
            self.errors.add(self._at("occurred_at"), "not_for_kind", kind=self.new.kind)
        if self.new.kind == "write_off" and line.reason is None:
            self.errors.add(self._at("reason"), "missing")
        if self.new.kind == "cost_adjustment" and line.amount is None:
            self.errors.add(self._at("amount"), "missing")
        if line.of_line is not None and self.new.of_document is None:
            self.errors.add(self._at("of_line"), "needs_of_document")
        if line.kept and self.new.kind == "customer_return" and self.new.of_document is None:
            self.errors.add(self._at("kept"), "needs_of_document")

    def _check_signs(self) -> None:
        """What is wrong with a number whatever the product may be."""
        self._said_amount()
        for name in (*self.rule.measure, "kept"):
            number: Decimal | None = getattr(self.line, name)
            if number is None:
                continue
            if not number.is_finite():
                self.errors.add(self._at(name), "not_finite")
            elif name == "quantity" and number <= 0:
                self.errors.add(self._at(name), "not_positive")
            elif name in {"counted", "kept"} and number < 0:
                self.errors.add(self._at(name), "negative")

    def _product(self) -> Reading | None:
        line = self.line
        if line.barcode is None:
            if line.sku is None:
                self.errors.add(self._at("sku"), "missing")
                return None
            product = self.catalog.by_sku(line.sku)
            if product is None:
                self.errors.add(self._at("sku"), "unknown_product", name=line.sku)
                return None
            return Reading(product=product)
        readings = read_code(self.catalog, line.barcode, self.store)
        if line.sku is not None:
            readings = [r for r in readings if r.product.sku == line.sku]
        living = [r for r in readings if not r.product.archived] or readings
        if not living:
            self.errors.add(self._at("barcode"), "unknown_barcode", name=line.barcode)
            return None
        if len(living) > 1:
            names = ", ".join(r.product.sku for r in living[:5])
            self.errors.add(self._at("barcode"), "ambiguous_barcode", name=line.barcode, skus=names)
            return None
        return living[0]

    def _measure(self, reading: Reading) -> tuple[int, int | None]:
        """The quantity in steps (signed for a delta) and, for a count, the level counted."""
        line, precision = self.line, reading.product.precision
        given = [n for n in self.rule.measure if getattr(line, n) is not None]
        if not self.rule.measure:
            return 0, None
        if reading.quantity is not None and given in ([], ["quantity"]):
            return self._labelled(reading.quantity), None
        if len(given) != 1:
            code = "missing" if not given else "only_one_of"
            names = ", ".join(self.rule.measure)
            self.errors.add(self._at(self.rule.measure[0]), code, names=names)
            return 0, None
        name = given[0]
        number: Decimal = getattr(line, name)
        faults = len(self.errors.found)
        steps = self.errors.number(self._at(name), number, precision, largest=QUANTITY_MAX)
        steps *= reading.factor
        if abs(steps) > QUANTITY_MAX:
            limit = format_quantity(QUANTITY_MAX, precision)
            self.errors.add(self._at(name), "too_large", limit=limit)
        if name == "counted":
            if steps < 0:
                self.errors.add(self._at(name), "negative")
            return 0, steps
        if len(self.errors.found) > faults:
            return steps, None
        if name == "quantity" and steps <= 0:
            self.errors.add(self._at(name), "not_positive")
        elif name == "delta" and steps == 0:
            self.errors.add(self._at(name), "zero")
        return steps, None

    def _labelled(self, steps: int) -> int:
        """Steps of so many packs of what a label says one holds; one pack unless said."""
        packs = self.line.quantity if self.line.quantity is not None else Decimal(1)
        if packs.is_finite() and packs <= 0:
            self.errors.add(self._at("quantity"), "not_positive")
            return 0
        return steps * self.errors.number(self._at("quantity"), packs, 0, largest=1000)

    def _recipe(self, product: Product) -> tuple[tuple[int, int], ...]:
        if not product.stocked or self.new.kind == "production":
            return recipe_of(product, self.catalog)
        return ()

    def _lot(self, reading: Reading) -> tuple[str | None, int, int | None]:
        """Lot code, expiry and making as day numbers; expiry follows from shelf life if need be."""
        line, product = self.line, reading.product
        if not product.track_lots:
            if line.lot is not None or line.expires_on is not None or line.made_on is not None:
                self.errors.add(self._at("lot"), "lots_not_tracked", name=product.sku)
            return None, 0, None
        made_on = day_number(line.made_on) if line.made_on else reading.made_on
        expires_on = day_number(line.expires_on) if line.expires_on else reading.expires_on
        said = "made_on" if expires_on is None else "expires_on"
        if expires_on is None and made_on is not None and product.shelf_life_days:
            expires_on = made_on + product.shelf_life_days
        if expires_on is not None and not FIRST_DAY <= expires_on <= LAST_DAY:
            first, last = day_of(FIRST_DAY).isoformat(), day_of(LAST_DAY).isoformat()
            self.errors.add(self._at(said), "date_out_of_bounds", first=first, last=last)
            return None, 0, None
        lot = line.lot or reading.lot
        if lot is None and expires_on is not None:
            lot = day_of(expires_on).isoformat()
        return lot, expires_on or 0, made_on

    def _amount(self, reading: Reading, quantity: int) -> int | None:
        """The line's amount in minor units by what was sent, the label, or the list price."""
        amount = self._said_amount()
        return self._by_the_list(reading, quantity) if amount is None else amount

    def _by_the_list(self, reading: Reading, quantity: int) -> int | None:
        if reading.amount is not None and self.new.kind == "issue":
            return reading.amount * (quantity // reading.quantity if reading.quantity else 1)
        return self._list_amount(reading, quantity)

    def _listed(self, reading: Reading, quantity: int) -> int | None:
        """What the line comes to by the list; what is wrong with that is no fault of the line."""
        faults = len(self.errors.found)
        listed = self._by_the_list(reading, quantity)
        del self.errors.found[faults:]
        return listed

    def _said_amount(self) -> int | None:
        """The amount by what was sent, whatever the product may be."""
        line, kind = self.line, self.new.kind
        unit = line.unit_price if line.unit_price is not None else line.unit_cost
        unit_name = "unit_price" if line.unit_price is not None else "unit_cost"
        amount = None
        if line.amount is not None:
            amount = self._money("amount", line.amount)
            if amount < 0 and kind != "cost_adjustment":
                self.errors.add(self._at("amount"), "negative")
        if unit is not None:
            derived = self._derived(unit_name, unit)
            if amount is None:
                amount = derived
            elif derived is not None and derived != amount:
                self.errors.add(self._at("amount"), "amount_mismatch", unit=unit_name)
        return amount

    def _list_amount(self, reading: Reading, quantity: int) -> int | None:
        kind = self.new.kind
        if kind == "receipt":
            return 0
        if kind == "issue" or (kind == "customer_return" and self.new.of_document is None):
            product = reading.product
            if reading.price is not None and self.line.quantity is not None:
                if not self.line.quantity.is_finite() or self.line.quantity.adjusted() > _DIGITS:
                    return None
                pack = Decimal(reading.price).scaleb(-MINOR_DIGITS)
                return self._bounded("quantity", self._cents(self.line.quantity * pack))
            price = product.price_in(self.store.id) or 0
            return self._bounded("quantity", amount_of(quantity, price, product.precision))
        return None

    def _bounded(self, name: str, amount: int) -> int:
        """An amount that follows from a quantity; as large as one that is said, at most."""
        if amount > AMOUNT_MAX:
            self.errors.add(self._at(name), "amount_too_large", max=format_amount(AMOUNT_MAX))
            return 0
        return amount

    def _money(self, name: str, number: Decimal) -> int:
        try:
            return parse_amount(number)
        except NumberRefused as refused:
            self.errors.add(self._at(name), refused.code, **refused.params)
            return 0

    def _derived(self, name: str, unit: Decimal) -> int | None:
        digits = 4 if name == "unit_cost" else MINOR_DIGITS
        if self.errors.number(self._at(name), unit, digits, largest=AMOUNT_MAX) < 0:
            self.errors.add(self._at(name), "negative")
        quantity = self.line.quantity if self.line.quantity is not None else self.line.delta
        if quantity is None or not quantity.is_finite() or not unit.is_finite():
            return None
        if abs(quantity.adjusted()) > _DIGITS or abs(unit.adjusted()) > _DIGITS:
            return None  # noted above: too large, or too many decimals
        return self._bounded(name, self._cents(abs(quantity) * unit))

    def _counted_cost(self) -> int | None:
        """The unit cost of a count in 1/10000; one that is wrong was noted as the line's amount."""
        if self.line.unit_cost is None:
            return None
        try:
            return scaled(self.line.unit_cost, 4, largest=AMOUNT_MAX)
        except NumberRefused:
            return None

    def _cents(self, money: Decimal) -> int:
        return int(money.quantize(_CENT, rounding=ROUND_HALF_UP).scaleb(MINOR_DIGITS))

    def _kept(self, product: Product, quantity: int) -> int:
        if self.line.kept is None:
            return 0
        if not product.stocked:
            self.errors.add(self._at("kept"), "no_own_stock", name=product.sku)
        kept = self.errors.number(
            self._at("kept"), self.line.kept, product.precision, largest=QUANTITY_MAX
        )
        if kept < 0:
            self.errors.add(self._at("kept"), "negative")
        elif kept > quantity:
            self.errors.add(self._at("kept"), "more_than_sold")
        return kept


def pairs_of(lines: Iterable[Line], store_id: int) -> set[tuple[int, int]]:
    """The (store, product) rows that lines touch."""
    return {(store_id, product.id) for line in lines for product, _ in line.parts}
