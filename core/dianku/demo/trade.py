"""Months of trading as documents, from one seed and without a database.

`Trade` keeps books of its own (a level per good, lots of what spoils) only to behave like a
sensible shop: it orders before it runs out, throws away what is past its date, sells by the
weekday and the hour. Steps come in the order of time; a step that follows another document names
it by key, because numbers are given by the ledger. One seed gives one shop, on every machine.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from attrs import define, field, frozen

from dianku.demo.goods import (
    BEANS,
    COFFEE,
    CUP,
    EGG,
    GIFT,
    ONLINE,
    SHOP,
    TEA_EGG,
    WAREHOUSE,
    Good,
    composed,
    goods,
)
from dianku.ledger.requests import NewDocument, NewLine, Payment, PaymentKind

ZONE = ZoneInfo("Asia/Shanghai")
_WEEKDAYS = (0.92, 0.90, 0.95, 1.0, 1.15, 1.3, 1.2)
_HOURS = (7, 7, 8, 8, 8, 9, 10, 11, 12, 12, 12, 13, 14, 15, 16, 17, 18, 18, 18, 19, 19, 20, 21, 22)
_SUPPLIERS = {
    "drink": "城南饮料批发",
    "dairy": "鲜达乳品",
    "snack": "好味零食商行",
    "instant": "方便食品经销部",
    "staple": "粮油市场三号铺",
    "alcohol": "城南饮料批发",
    "home": "百货日用批发",
    "fresh": "晨光鲜食配送",
}
_ONE, _FEN = Decimal(1), Decimal("0.01")
PAID_BY: tuple[PaymentKind, ...] = ("wechat",) * 11 + ("alipay",) * 5 + ("cash",) * 3 + ("card",)
"""Kinds of payment at the counter, as often as a small shop in a Chinese town sees them."""


@frozen
class DemoDocument:
    """A document to post with its key; `of_key` names the one it follows (a return's sale)."""

    key: str
    new: NewDocument
    of_key: str | None = None


@frozen
class DemoArrival:
    """The whole of a transfer arrives."""

    key: str
    of_key: str
    line_count: int
    occurred_at: datetime


Step = DemoDocument | DemoArrival


@frozen
class _Sold:
    """A line that may come back tomorrow."""

    key: str
    line: int
    sku: str


@define
class Trade:
    """The trading of `days` days that end with the day of `until`, up to that moment."""

    until: datetime
    days: int = 120
    seed: int = 20260101
    baskets_per_day: int = 30
    _chance: random.Random = field(init=False)
    _till: random.Random = field(init=False)
    _prices: dict[str, Decimal] = field(init=False)
    _stock: dict[tuple[str, str], Decimal] = field(init=False)
    _lots: dict[str, list[tuple[date, Decimal]]] = field(init=False)
    _goods: tuple[Good, ...] = field(init=False)
    _returnable: list[_Sold] = field(init=False, factory=list)
    _count: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - a demo, not a secret
        # Of its own, so that the goods sold stay the same however they are paid.
        self._till = random.Random(f"{self.seed} at the till")  # noqa: S311
        self._stock = defaultdict(Decimal)
        self._lots = defaultdict(list)
        self._goods = goods()
        self._prices = {g.sku: g.price or Decimal(0) for g in composed(self._goods)} | {
            g.sku: g.price for g in self._goods
        }

    def by_day(self) -> Iterator[tuple[datetime, list[Step]]]:
        """Yield each day's steps in order of time, with the moment by which all have happened."""
        last = self.until.astimezone(ZONE)
        for back in range(self.days - 1, -1, -1):
            day = last.date() - timedelta(days=back)
            end = last if back == 0 else _at(day, 23, 30)
            steps = [s for s in self._day(day, first=back == self.days - 1) if moment_of(s) <= end]
            yield end, sorted(steps, key=moment_of)

    def _day(self, day: date, *, first: bool) -> Iterator[Step]:
        if first:
            yield from self._opening(day)
        else:
            yield from self._morning(day)
        yield from self._sales(day)
        if day.toordinal() % 11 == 0:
            yield self._small_loss(day)
        if (self.until.date() - day).days == min(30, self.days // 2):
            yield self._stocktake(day)

    def _opening(self, day: date) -> Iterator[Step]:
        """Fill the shelves and the warehouse on the first day."""
        by_supplier: dict[tuple[str, str], list[NewLine]] = defaultdict(list)
        for good in self._goods:
            quantity = self._ordered(good, days=min(10, good.life or 10))
            line = self._take_in(good, quantity, SHOP, day)
            by_supplier[SHOP, good.category].append(line)
            if good.stored:
                line = self._take_in(good, self._ordered(good, days=30), WAREHOUSE, day)
                by_supplier[WAREHOUSE, good.category].append(line)
        for (store, category), lines in by_supplier.items():
            yield self._receipt(store, lines, _SUPPLIERS[category], _at(day, 5, 30))
        yield self._materials(day)
        yield self._boiled_eggs(day)

    def _morning(self, day: date) -> Iterator[Step]:
        yield from self._spoilt(day)
        yield from self._returns(day)
        lines: dict[str, list[NewLine]] = defaultdict(list)
        moved: list[NewLine] = []
        for good in self._goods:
            if not self._delivered_on(good, day):
                continue
            level = self._stock[SHOP, good.sku]
            span = min(good.life - 1, 6) if good.life else 7
            if level >= good.daily * max(2, span - 2):
                continue
            quantity = self._ordered(good, days=span)
            if good.stored and self._stock[WAREHOUSE, good.sku] >= quantity:
                self._stock[WAREHOUSE, good.sku] -= quantity
                self._stock[SHOP, good.sku] += quantity
                moved.append(NewLine(sku=good.sku, quantity=quantity))
            else:
                lines[good.category].append(self._take_in(good, quantity, SHOP, day))
        for category, found in lines.items():
            yield self._receipt(SHOP, found, _SUPPLIERS[category], _at(day, 6, 10))
        if moved:
            yield from self._transfer(day, moved)
        yield from self._warehouse(day)
        if self._stock[SHOP, BEANS] < 800 or self._stock[SHOP, EGG] < 40:
            yield self._materials(day)
        yield self._boiled_eggs(day)

    def _delivered_on(self, good: Good, day: date) -> bool:
        """Dairy and fresh goods come daily, goods of the warehouse twice a week, others once."""
        if good.life or good.weighed:
            return True
        if good.stored:
            return day.weekday() in {0, 3}
        return day.weekday() == sum(map(ord, good.category)) % 5

    def _warehouse(self, day: date) -> Iterator[Step]:
        if day.weekday() != 1:
            return
        lines = [
            self._take_in(good, self._ordered(good, days=21), WAREHOUSE, day)
            for good in self._goods
            if good.stored and self._stock[WAREHOUSE, good.sku] < good.daily * 10
        ]
        if lines:
            yield self._receipt(WAREHOUSE, lines, _SUPPLIERS["drink"], _at(day, 9, 0))

    def _transfer(self, day: date, lines: list[NewLine]) -> Iterator[Step]:
        sent = self._document(
            NewDocument(
                kind="transfer",
                store=WAREHOUSE,
                to_store=SHOP,
                lines=lines,
                occurred_at=_at(day, 6, 20),
            )
        )
        yield sent
        yield DemoArrival(self._key("arrival"), sent.key, len(lines), _at(day, 6, 50))

    def _sales(self, day: date) -> Iterator[Step]:
        usual = self.baskets_per_day * _WEEKDAYS[day.weekday()]
        moments = sorted(
            _at(day, self._chance.choice(_HOURS), self._chance.randrange(60))
            + timedelta(seconds=self._chance.randrange(60))
            for _ in range(max(5, round(self._chance.gauss(usual, usual / 10))))
        )
        weights = [float(g.daily) for g in self._goods]
        for moment in moments:
            online = self._chance.random() < 0.12
            size = self._chance.choice((1, 1, 2, 2, 3, 4, 5))
            chosen = dict.fromkeys(self._chance.choices(self._goods, weights, k=size))
            lines = [x for g in chosen if (x := self._sold_line(g, online=online)) is not None]
            if not online:
                lines += self._prepared(moment)
            if lines:
                sale = self._document(
                    NewDocument(
                        kind="issue",
                        store=SHOP,
                        lines=lines,
                        channel=ONLINE if online else "counter",
                        reference=f"WX{self._count:08d}" if online else None,
                        occurred_at=moment,
                        payments=None if online else self._paid(lines),
                    )
                )
                self._remember(sale)
                yield sale

    def _paid(self, lines: list[NewLine]) -> list[Payment]:
        """How the counter was paid for lines at the list's price, all in one kind."""
        amounts = (self._prices[line.sku or ""] * (line.quantity or 0) for line in lines)
        total = sum(amount.quantize(_FEN, ROUND_HALF_UP) for amount in amounts)
        return [Payment(kind=self._till.choice(PAID_BY), amount=Decimal(total))]

    def _sold_line(self, good: Good, *, online: bool) -> NewLine | None:
        """One line of a basket; an online order never takes the last pieces or goods with lots."""
        there = self._stock[SHOP, good.sku]
        if good.weighed:
            quantity = Decimal(self._chance.randrange(300, 1800)) / 1000
        else:
            quantity = Decimal(self._chance.choice((1, 1, 1, 1, 2, 2, 3)))
        if online and (good.life or good.weighed or there < quantity + 5):
            return None
        if there < quantity:
            return None
        self._stock[SHOP, good.sku] = there - quantity
        if good.life:
            self._use_lots(good.sku, quantity)
        return NewLine(sku=good.sku, quantity=quantity)

    def _prepared(self, moment: datetime) -> list[NewLine]:
        """A coffee, a boiled egg, now and then a gift box, while there is something to make it."""
        lines = []
        if self._chance.random() < (0.25 if moment.hour < 11 else 0.08):
            enough = self._stock[SHOP, BEANS] >= 18 and self._stock[SHOP, CUP] >= 1
            if enough:
                self._stock[SHOP, BEANS] -= 18
                self._stock[SHOP, CUP] -= 1
                lines.append(NewLine(sku=COFFEE, quantity=_ONE))
        if self._chance.random() < 0.15 and self._stock[SHOP, TEA_EGG] >= 1:
            self._stock[SHOP, TEA_EGG] -= 1
            lines.append(NewLine(sku=TEA_EGG, quantity=_ONE))
        if self._chance.random() < 0.01:
            (box,) = (one for one in composed(self._goods) if one.sku == GIFT)
            parts = [c.sku for c in box.components]
            if all(self._stock[SHOP, p] >= 1 for p in parts):
                for part in parts:
                    self._stock[SHOP, part] -= 1
                lines.append(NewLine(sku=GIFT, quantity=_ONE))
        return lines

    def _remember(self, sale: DemoDocument) -> None:
        """Choose a line in fifty that comes back the next morning."""
        keeps = {g.sku for g in self._goods if not g.life and not g.weighed}
        for i, line in enumerate(sale.new.lines, 1):
            if line.sku in keeps and self._chance.random() < 0.02:
                self._returnable.append(_Sold(sale.key, i, str(line.sku)))

    def _returns(self, day: date) -> Iterator[Step]:
        for n, sold in enumerate(self._returnable):
            damaged = self._chance.random() < 0.3
            if not damaged:
                self._stock[SHOP, sold.sku] += 1
            line = NewLine(
                sku=sold.sku,
                quantity=_ONE,
                of_line=sold.line,
                disposition="damaged" if damaged else "shelf",
            )
            new = NewDocument(
                kind="customer_return",
                store=SHOP,
                lines=[line],
                occurred_at=_at(day, 7, 5) + timedelta(minutes=n),
            )
            yield DemoDocument(self._key("return"), new, sold.key)
        self._returnable.clear()

    def _spoilt(self, day: date) -> Iterator[Step]:
        """Throw away what was good until yesterday."""
        lines = []
        for good in self._goods:
            kept = []
            for expires_on, quantity in self._lots[good.sku]:
                if expires_on >= day:
                    kept.append((expires_on, quantity))
                    continue
                self._stock[SHOP, good.sku] -= quantity
                lines.append(NewLine(sku=good.sku, quantity=quantity, reason="expired"))
            self._lots[good.sku] = kept
        if lines:
            yield self._document(
                NewDocument(kind="write_off", store=SHOP, lines=lines, occurred_at=_at(day, 6, 0))
            )

    def _small_loss(self, day: date) -> Step:
        keeping = [g for g in self._goods if not g.life and self._stock[SHOP, g.sku] >= 3]
        good = self._chance.choice(keeping)
        self._stock[SHOP, good.sku] -= 1
        line = NewLine(
            sku=good.sku,
            quantity=_ONE,
            reason=self._chance.choice(("damaged", "own_use", "lost", "sample")),
        )
        new = NewDocument(kind="write_off", store=SHOP, lines=[line], occurred_at=_at(day, 23, 5))
        return self._document(new)

    def _stocktake(self, day: date) -> Step:
        """Count the snacks after closing: most agree, a few are one short."""
        lines = []
        for good in self._goods:
            if good.category == "snack":
                level = self._stock[SHOP, good.sku]
                if level >= 2 and self._chance.random() < 0.15:
                    level -= 1
                self._stock[SHOP, good.sku] = level
                lines.append(NewLine(sku=good.sku, counted=level))
        new = NewDocument(
            kind="adjustment",
            store=SHOP,
            lines=lines,
            note="零食区盘点",
            occurred_at=_at(day, 23, 20),
        )
        return self._document(new)

    def _materials(self, day: date) -> Step:
        lines = []
        for sku, quantity, cost in ((BEANS, 5000, "0.12"), (CUP, 300, "0.35"), (EGG, 180, "0.70")):
            self._stock[SHOP, sku] += quantity
            line = NewLine(sku=sku, quantity=Decimal(quantity), unit_cost=Decimal(cost))
            lines.append(line)
        return self._receipt(SHOP, lines, "咖啡物料商", _at(day, 6, 40))

    def _boiled_eggs(self, day: date) -> Step:
        wanted = max(_ONE, 12 - self._stock[SHOP, TEA_EGG])
        self._stock[SHOP, EGG] -= wanted
        self._stock[SHOP, TEA_EGG] += wanted
        line = NewLine(sku=TEA_EGG, quantity=wanted)
        new = NewDocument(kind="production", store=SHOP, lines=[line], occurred_at=_at(day, 6, 45))
        return self._document(new)

    def _ordered(self, good: Good, *, days: int) -> Decimal:
        """Enough for some days, in whole cartons where goods come in cartons."""
        wanted = max(good.daily * days, Decimal(4))
        packs = (wanted / good.pack).to_integral_value(ROUND_CEILING)
        return Decimal(packs * good.pack)

    def _take_in(self, good: Good, quantity: Decimal, store: str, day: date) -> NewLine:
        self._stock[store, good.sku] += quantity
        cost = good.cost * Decimal(self._chance.randrange(96, 105)) / 100
        amount = (quantity * cost).quantize(Decimal("0.01"), ROUND_HALF_UP)
        if not good.life:
            return NewLine(sku=good.sku, quantity=quantity, amount=amount)
        expires_on = day + timedelta(days=good.life)
        self._lots[good.sku].append((expires_on, quantity))
        return NewLine(
            sku=good.sku,
            quantity=quantity,
            amount=amount,
            lot=f"{day:%y%m%d}",
            made_on=day,
            expires_on=expires_on,
        )

    def _use_lots(self, sku: str, quantity: Decimal) -> None:
        lots = self._lots[sku]
        while quantity > 0 and lots:
            expires_on, there = lots[0]
            used = min(there, quantity)
            quantity -= used
            if used == there:
                lots.pop(0)
            else:
                lots[0] = (expires_on, there - used)

    def _receipt(
        self, store: str, lines: list[NewLine], supplier: str, moment: datetime
    ) -> DemoDocument:
        return self._document(
            NewDocument(
                kind="receipt", store=store, lines=lines, supplier=supplier, occurred_at=moment
            )
        )

    def _document(self, new: NewDocument) -> DemoDocument:
        return DemoDocument(self._key(new.kind), new)

    def _key(self, kind: str) -> str:
        self._count += 1
        return f"demo-{self.seed}-{kind}-{self._count}"


def _at(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute), ZONE)


def moment_of(step: Step) -> datetime:
    """When a step happened."""
    moment = step.new.occurred_at if isinstance(step, DemoDocument) else step.occurred_at
    if moment is None:
        raise ValueError(f"{step.key} has no time")
    return moment
