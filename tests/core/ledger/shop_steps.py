"""Random steps of a shop's day, each for the ledger and for the plain model at once.

A `Step` carries the command as the ledger takes it and a call that does the same to the model.
Steps are made from what the model knows (documents posted, holds open), so most are acceptable;
quantities are drawn so that a good part of the strict ones must be refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from plain_cells import Document, Line, Refusal, Wanted
from plain_lots import ANY_DATE
from plain_reversal import reverse
from plain_shop import Shop
from reservation_steps import ReservationSteps
from step_chance import (
    GOODS,
    MINUTE,
    PLAIN,
    STOCKED,
    STORES,
    Step,
    decimal,
    lot,
)

from dianku.clock import from_ms
from dianku.ledger.commands import (
    CloseTransfer,
    HandOver,
    Keep,
    ReceiveTransfer,
    Reverse,
)
from dianku.ledger.requests import (
    LineQuantities,
    LineQuantity,
    NewKeeping,
    NewLine,
)


class Steps(ReservationSteps):
    """Draws steps."""

    def __init__(self, model: Shop, *, seed: int) -> None:
        super().__init__(model, seed=seed)
        self._keys = 0
        self.accepted: Counter[str] = Counter()
        """How often each step was accepted; what is rare is drawn more often."""
        self._makers: dict[str, tuple[int, Callable[[], Step | None]]] = {
            "receipt": (11, self._receipt),
            "issue": (14, self._issue),
            "issue_strict": (8, self._issue_strict),
            "issue_fact": (2, self._issue_fact),
            "customer_return": (7, self._customer_return),
            "supplier_return": (7, self._supplier_return),
            "write_off": (5, self._write_off),
            "transfer": (9, self._transfer),
            "receive": (9, self._receive),
            "close": (9, self._close),
            "delta": (4, self._delta),
            "count": (5, self._count),
            "production": (9, self._produce),
            "cost_adjustment": (4, self._adjust_cost),
            "hand_over": (4, self._hand_over),
            "keep": (4, self._keep),
            "reverse": (26, self._reverse),
            "reserve": (9, self._reserve),
            "preorder": (3, self._preorder),
            "commit": (7, self._commit),
            "commit_part": (5, self._commit_part),
            "release": (6, self._release),
            "extend": (6, self._extend),
        }

    def draw(self) -> Step:
        """The next step that makes sense."""
        names = list(self._makers)
        weights = [self._makers[n][0] for n in names]
        while True:
            if self.chance(0.45):
                name = min(self._random.sample(names, k=8), key=lambda n: self.accepted[n])
            else:
                name = self._random.choices(names, weights)[0]
            step = self._makers[name][1]()
            if step is not None:
                self._keys += 1
                step.key = f"step-{self._keys}"
                return step

    def _receipt(self) -> Step:
        store, wanted, lines = self._store(), [], []
        for w in self._some(STOCKED, most=30):
            amount = 0 if self.chance(0.08) else self._random.randint(1, 9_999)
            more: dict[str, Any] = {"amount": decimal(amount, 2)} if amount else {}
            lot = self._fresh_lot(w.sku)
            wanted.append(Wanted(w.sku, w.quantity, value=amount * 100, lot=lot))
            lines.append(self._line(wanted[-1], **more))
        at = self._moment(store, wanted, permissive=True)
        return self._post(
            "receipt",
            "receipt",
            store,
            lines,
            lambda: self.model.receipt(store, wanted, at=at),
            occurred_at=from_ms(at),
        )

    def _issue(self, *, strict: bool = False, fact: bool = False) -> Step:
        store = self._store()
        goods = tuple(g for g in GOODS if g.sku != "hamper" or self.chance(0.5))
        wanted = self._with_lots(store, self._some(goods, most=6))
        wanted = [replace(w, kept=self._kept(w)) for w in wanted]
        at = self._moment(store, wanted, permissive=not strict and not fact)
        if not self._unseen(store, self._stocked(wanted), at):
            wanted = [replace(w, kept=0) for w in wanted]
        lines = [
            self._line(
                w, kept=decimal(w.kept, self.model.goods[w.sku].precision) if w.kept else None
            )
            for w in wanted
        ]
        name = "issue_fact" if fact else "issue_strict" if strict else "issue"
        now, partial = self.now, strict and self.chance(0.4)
        return self._post(
            name,
            "issue",
            store,
            lines,
            lambda: self.model.issue(store, wanted, at=at, now=now, strict=strict, partial=partial),
            partial=partial,
            channel="web" if strict or fact else None,
            fact=fact,
            occurred_at=from_ms(at),
        )

    def _kept(self, w: Wanted) -> int:
        stocked = self.model.goods[w.sku].stocked
        return self._random.randint(1, w.quantity) if stocked and self.chance(0.25) else 0

    def _issue_strict(self) -> Step:
        return self._issue(strict=True)

    def _issue_fact(self) -> Step:
        return self._issue(fact=True)

    def _customer_return(self) -> Step | None:
        disposition: Literal["shelf", "damaged", "discard"] = self._random.choice(
            ("shelf", "shelf", "damaged", "discard")
        )
        if self.chance(0.3):
            store = self._store()
            wanted = [
                Wanted(w.sku, w.quantity, disposition=disposition, lot=self._fresh_lot(w.sku))
                for w in self._some(PLAIN, most=3)
            ]
            at = self._moment(store, wanted, permissive=True)
            lines = [self._line(w, disposition=disposition) for w in wanted]
            return self._post(
                "customer_return",
                "customer_return",
                store,
                lines,
                lambda: self.model.customer_return(store, wanted, at=at),
                occurred_at=from_ms(at),
            )
        sales = self.book.of("issue")
        if not sales:
            return None
        waiting = [x for x in sales if any(line.waiting for line in x[1].lines)]
        number, sale = self._random.choice(waiting if waiting and self.chance(0.4) else sales)
        index = self._random.randrange(len(sale.lines))
        if self.chance(0.4):
            index = max(range(len(sale.lines)), key=lambda i: sale.lines[i].waiting)
        line = sale.lines[index]
        precision = self.model.goods[line.sku].precision
        quantity = self._random.randint(1, max(1, line.left + (1 if self.chance(0.2) else 0)))
        # Now and then more than wait, or more than are with the customer.
        kept = self._random.randint(0, min(line.waiting + 1, quantity)) if line.kept else 0
        kept = 0 if self.chance(0.5) else kept
        wanted = [Wanted(line.sku, quantity, of=line, disposition=disposition, kept=kept)]
        new = NewLine(
            sku=line.sku,
            quantity=decimal(quantity, precision),
            of_line=line.number or index + 1,
            disposition=disposition,
            kept=decimal(kept, precision) if kept else None,
        )
        now = self.now
        return self._post(
            "customer_return",
            "customer_return",
            sale.store,
            [new],
            lambda: self.model.customer_return(sale.store, wanted, at=now),
            of_document=number,
        )

    def _supplier_return(self) -> Step | None:
        now, partial = self.now, self.chance(0.3)
        receipts = self.book.of("receipt")
        if self.chance(0.4) or not receipts:
            store = self._store()
            wanted = self._with_lots(store, self._some(PLAIN, most=5))
            return self._post(
                "supplier_return",
                "supplier_return",
                store,
                [self._line(w) for w in wanted],
                lambda: self.model.supplier_return(store, wanted, at=now, now=now, partial=partial),
                partial=partial,
            )
        number, receipt = self._random.choice(receipts)
        index = self._random.randrange(len(receipt.lines))
        line = receipt.lines[index]
        quantity = self._random.randint(1, max(1, line.left))
        wanted = [Wanted(line.sku, quantity, of=line)]
        new = self._line(wanted[0], of_line=line.number or index + 1)
        return self._post(
            "supplier_return",
            "supplier_return",
            receipt.store,
            [new],
            lambda: self.model.supplier_return(
                receipt.store, wanted, at=now, now=now, partial=partial
            ),
            of_document=number,
            partial=partial,
        )

    def _write_off(self) -> Step:
        store, now, partial = self._store(), self.now, self.chance(0.3)
        wanted = []
        reason = self._random.choice(("damaged", "expired", "lost", "stolen", "sample", "own_use"))
        for w in self._some(STOCKED, most=5):
            damaged = self.model.cells[store, w.sku].damaged
            if damaged and self.chance(0.6):
                quantity = self._random.randint(1, damaged + (1 if self.chance(0.1) else 0))
                wanted.append(Wanted(w.sku, quantity, bucket="damaged"))
            else:
                wanted.append(replace(w, lot=self._known_lot(store, w.sku), reason=reason))
        lines = [
            self._line(w, reason=reason, bucket="damaged" if w.bucket == "damaged" else None)
            for w in wanted
        ]
        return self._post(
            "write_off",
            "write_off",
            store,
            lines,
            lambda: self.model.write_off(store, wanted, at=now, now=now, partial=partial),
            partial=partial,
        )

    def _transfer(self) -> Step:
        store, now, partial = self._store(), self.now, self.chance(0.3)
        other = STORES[1 - STORES.index(store)]
        wanted = self._with_lots(store, self._some(PLAIN, most=6))
        return self._post(
            "transfer",
            "transfer",
            store,
            [self._line(w) for w in wanted],
            lambda: self.model.transfer(store, other, wanted, at=now, now=now, partial=partial),
            to_store=other,
            partial=partial,
        )

    def _receive(self) -> Step | None:
        open_ = [(n, d) for n, d in self.book.of("transfer") if not d.closed]
        if not open_:
            return None
        number, document = self._random.choice(open_)
        now = self.now
        parts: list[tuple[Line, int]] = []
        request = []
        for index, line in enumerate(document.lines):
            if line.left and (self.chance(0.7) or not parts):
                quantity = self._random.randint(1, line.left + (1 if self.chance(0.1) else 0))
                parts.append((line, quantity))
                precision = self.model.goods[line.sku].precision
                request.append(
                    LineQuantity(
                        line=line.number or index + 1, quantity=decimal(quantity, precision)
                    )
                )
        if not parts:
            return None
        command = ReceiveTransfer(number, LineQuantities(lines=request))
        return Step("receive", command, lambda: self.model.receive(document, parts, at=now))

    def _close(self) -> Step | None:
        open_ = [(n, d) for n, d in self.book.of("transfer") if not d.closed]
        if not open_:
            return None
        number, document = self._random.choice(open_)
        side = self._random.choice(("sender", "receiver"))
        return Step("close", CloseTransfer(number, side), lambda: self.model.close(document))

    def _delta(self) -> Step:
        store, now = self._store(), self.now
        wanted = [
            self._delta_line(store, w, self._random.choice((-1, 1)))
            for w in self._some(STOCKED, most=6)
        ]
        lines = [
            NewLine(
                sku=w.sku,
                delta=decimal(w.quantity, self.model.goods[w.sku].precision),
                **lot(w),
            )
            for w in wanted
        ]
        return self._post(
            "delta",
            "adjustment",
            store,
            lines,
            lambda: self.model.adjust(store, wanted, at=now, now=now),
        )

    def _delta_line(self, store: str, w: Wanted, sign: int) -> Wanted:
        if sign > 0:
            return replace(w, lot=self._fresh_lot(w.sku))
        found = self._known_lot(store, w.sku)
        named = found if found is not None and found[1] != ANY_DATE else None
        return replace(w, quantity=-w.quantity, lot=named)

    def _count(self) -> Step:
        """Count one product or two, now or some time ago, perhaps before an earlier count."""
        store = self._store()
        at = self.now - self._random.choice((0, 0, 3 * MINUTE, 47 * MINUTE)) - 137
        picked = self._random.sample(STOCKED, k=self._random.choice((1, 1, 2)))
        cells = [self.model.cells[store, g.sku] for g in picked]
        wanted = [
            Wanted(g.sku, counted=max(0, cell.level_at(at) + self._random.randint(-4, 4)))
            for g, cell in zip(picked, cells, strict=True)
        ]
        lines = [
            NewLine(sku=w.sku, counted=decimal(w.counted or 0, self.model.goods[w.sku].precision))
            for w in wanted
        ]
        return self._post(
            "count",
            "adjustment",
            store,
            lines,
            lambda: self.model.count(store, wanted, at=at),
            occurred_at=from_ms(at),
        )

    def _produce(self) -> Step:
        store, now = self._store(), self.now
        made = self._random.randint(1, 4)
        broken = self.chance(0.3)
        wanted = [Wanted("cake", -made if broken else made)]
        delta = NewLine(sku="cake", delta=decimal(-made, 0))
        return self._post(
            "break_up" if broken else "production",
            "production",
            store,
            [delta if broken else self._line(wanted[0])],
            lambda: self.model.produce(store, wanted, at=now, now=now),
        )

    def _adjust_cost(self) -> Step | None:
        store, now = self._store(), self.now
        goods = self._random.choice(STOCKED)
        if self.model.cells[store, goods.sku].on_hand <= 0:
            return None
        amount = self._random.choice((-1, 1)) * self._random.randint(1, 2_000)
        wanted = [Wanted(goods.sku, value=amount * 100)]
        lines = [NewLine(sku=goods.sku, amount=decimal(amount, 2))]
        return self._post(
            "cost_adjustment",
            "cost_adjustment",
            store,
            lines,
            lambda: self.model.adjust_cost(store, wanted, at=now),
        )

    def _hand_over(self) -> Step | None:
        chosen = self._of_a_sale(lambda line: line.kept - line.handed_over)
        if chosen is None:
            return None
        number, document, line, quantity, request = chosen

        def effect() -> None:
            self.model.hand_over(document, [(line, quantity)])

        return Step("hand_over", HandOver(number, LineQuantities(lines=[request])), effect)

    def _keep(self) -> Step | None:
        goods = self.model.goods
        chosen = self._of_a_sale(
            lambda line: (
                line.left - line.waiting if goods[line.sku].stocked and not line.over else 0
            )
        )
        if chosen is None:
            return None
        number, document, line, quantity, request = chosen

        def effect() -> None:
            self.model.keep(document, [(line, quantity)])

        return Step("keep", Keep(number, NewKeeping(lines=[request])), effect)

    def _of_a_sale(
        self, most: Callable[[Line], int]
    ) -> tuple[str, Document, Line, int, LineQuantity] | None:
        """Some of a line of a late sale: what `most` allows, now and then one too many."""
        lines = [
            (number, document, index)
            for number, document in self.book.of("issue", recent=120)
            for index, line in enumerate(document.lines)
            if most(line) > 0
        ]
        if not lines:
            return None
        number, document, index = self._random.choice(lines)
        line = document.lines[index]
        quantity = self._random.randint(1, most(line) + (1 if self.chance(0.1) else 0))
        precision = self.model.goods[line.sku].precision
        request = LineQuantity(line=line.number or index + 1, quantity=decimal(quantity, precision))
        return number, document, line, quantity, request

    def _reverse(self) -> Step | None:
        """Undo something recent; a late movement at any time while its count stands."""
        older = [(n, d) for n, d in self.book.documents[:-60] if d.absorbed and not d.reversed]
        older = [(n, d) for n, d in older if any(line.left > 0 for line in d.lines)]
        older = [(n, d) for n, d in older if "stuck" not in d.traits or self.chance(0.1)]
        recent = [(n, d) for n, d in older + self.book.documents[-60:] if d.kind != "arrival"]
        recent = [(n, d) for n, d in recent if not any(c.reversed for c in d.absorbed.values())]
        # A count that is gone has absorbed nothing any more, and late movements are rare.
        rare = self.accepted["reverse_late"] < self.accepted["reverse_count"]
        recent = [(n, d) for n, d in recent if not d.counts or self.chance(0.01 if rare else 0.2)]
        recent = [(n, d) for n, d in recent if not (d.closed or d.reversed) or self.chance(0.02)]
        if not recent:
            return None
        kinds = sorted({_called(d) for _, d in recent})
        kind = self._random.choice(kinds)
        if self.chance(0.5):
            kind = min(kinds, key=lambda k: self.accepted[f"reverse_{k}"])
        number, document = self._random.choice([(n, d) for n, d in recent if _called(d) == kind])
        now = self.now

        def effect() -> None:
            try:
                reverse(self.model, document, now=now)
            except Refusal:
                document.traits.add("stuck")
                raise

        return Step(f"reverse_{kind}", Reverse(number, "typed wrongly"), effect)


def _called(document: Document) -> str:
    """What the undoing of a document is counted as."""
    if document.counts:
        return "count"
    return "late" if document.absorbed else document.kind
