"""Random steps with reservations: made, extended, given back, and turned into sales."""

from __future__ import annotations

from plain_cells import Hold
from plain_shop import Shop
from step_chance import FAR_MS, GOODS, Book, Chance, Step, decimal

from dianku.clock import from_ms
from dianku.ledger.commands import (
    CommitReservation,
    ExtendReservation,
    ReleaseReservation,
    Reserve,
)
from dianku.ledger.requests import (
    LineQuantity,
    NewReservation,
    NewReservationLine,
    ReservationCommit,
    ReservationExtend,
)


class ReservationSteps(Chance):
    """Draws steps with reservations."""

    def __init__(self, model: Shop, *, seed: int) -> None:
        super().__init__(model, seed=seed)
        self.book = Book()

    def _reserve(self, *, preorder: bool = False) -> Step:
        store, now = self._store(), self.now
        goods = tuple(g for g in GOODS if g.sku != "hamper")
        lines = [(w.sku, w.quantity) for w in self._some(goods, most=4)]
        seconds = self._random.choice((30, 900, 7_200, 90_000))
        expires_at = None if preorder else now + seconds * 1000
        new = NewReservation(
            store=store,
            lines=[
                NewReservationLine(sku=s, quantity=decimal(n, self.model.goods[s].precision))
                for s, n in lines
            ],
            channel="web",
            kind="preorder" if preorder else "hold",
            expires_in=None if preorder else seconds,
            due_on=from_ms(FAR_MS).date() if preorder else None,
        )
        return Step(
            "preorder" if preorder else "reserve",
            Reserve(new),
            lambda: self.model.reserve(store, lines, now=now, expires_at=expires_at),
        )

    def _preorder(self) -> Step:
        return self._reserve(preorder=True)

    def _hold(self, *, active: bool) -> tuple[str, Hold] | None:
        """A reservation that is open, often one of which some goods have left whole."""
        found = [
            (code, hold)
            for code, hold in self.book.holds[-60:]
            if hold.state == "active" and not (active and self._near_end(hold))
        ]
        begun = [x for x in found if not all(n for _, n in x[1].lines) and not self._near_end(x[1])]
        found = begun if begun and self.chance(0.5) else found
        return self._random.choice(found) if found else None

    def _near_end(self, hold: Hold) -> bool:
        return hold.expires_at is None or hold.expires_at <= self.now

    def _commit(self) -> Step | None:
        found = self._hold(active=False)
        if found is None:
            return None
        (code, hold), now = found, self.now
        return Step("commit", CommitReservation(code), lambda: self.model.commit(hold, now=now))

    def _commit_part(self) -> Step | None:
        found = self._hold(active=self.chance(0.7))
        if found is None:
            return None
        (code, hold), now = found, self.now
        # Often one line whole and nothing of another.
        part = [
            self._random.choice((0, there)) if self.chance(0.5) else self._random.randint(0, there)
            for _, there in hold.lines
        ]
        if not any(part):
            return None
        lines = [
            LineQuantity(line=n, quantity=decimal(steps, self.model.goods[sku].precision))
            for n, ((sku, _), steps) in enumerate(zip(hold.lines, part, strict=True), start=1)
            if steps
        ]
        return Step(
            "commit_part",
            CommitReservation(code, ReservationCommit(lines=lines)),
            lambda: self.model.commit(hold, now=now, part=part),
        )

    def _release(self) -> Step | None:
        found = self._hold(active=True)
        if found is None:
            return None
        (code, hold), now = found, self.now

        def effect() -> None:
            self.model.release(hold, now=now)

        return Step("release", ReleaseReservation(code), effect)

    def _extend(self) -> Step | None:
        found = self._hold(active=True)
        if found is None:
            return None
        (code, hold), seconds = found, self._random.choice((600, 40_000))
        now = self.now

        def effect() -> None:
            self.model.extend(hold, expires_at=now + seconds * 1000, now=now)

        request = ReservationExtend(expires_in=seconds)
        return Step("extend", ExtendReservation(code, request), effect)
