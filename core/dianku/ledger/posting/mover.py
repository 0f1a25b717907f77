"""Move goods on the snapshot and note each move in a draft: the one place where both happen.

Values are shared over lots by cumulative parts, so the moves of a line add up to its cost to the
last ten-thousandth.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define

from dianku.catalog.records import Product, Store
from dianku.clock import business_day
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.posting.draft import Draft, Move
from dianku.ledger.posting.lots import Split
from dianku.ledger.posting.snapshot import Snapshot
from dianku.quantity import share_of

COUNT_REASON = "count"
"""The reason of moves made by a count or absorbed by one: they happen before all else at T."""


@define
class Mover:
    """Moves goods for one draft."""

    snapshot: Snapshot
    draft: Draft

    def take(
        self,
        product: Product,
        quantity: int,
        *,
        line: int,
        flow: Flow,
        store: Store | None = None,
        split: Split | None = None,
        reason: str = "",
        occurred_at: int | None = None,
        expired_first: bool = False,
    ) -> int:
        """Take sellable goods out; returns the value that left (positive)."""
        store = store or self.draft.store
        pair = store.id, product.id
        balance = self.snapshot.balances[pair]
        if split is None:
            shelf = self.snapshot.shelves.get(pair)
            split = (
                shelf.pick(quantity, balance.on_hand, expired_first=expired_first)
                if shelf is not None
                else [(0, quantity)]
            )
        value = balance.take(quantity)
        self._note(store, product, line, flow, reason, occurred_at, split, quantity, value, -1)
        return value

    def put(
        self,
        product: Product,
        quantity: int,
        value: int,
        *,
        line: int,
        flow: Flow,
        store: Store | None = None,
        split: Split | None = None,
        reason: str = "",
        occurred_at: int | None = None,
    ) -> None:
        """Put sellable goods in, settling an old shortage first."""
        store = store or self.draft.store
        balance = self.snapshot.balances[store.id, product.id]
        settlement = balance.put(quantity, value)
        if settlement:
            self.note(
                store,
                product,
                line=line,
                flow=Flow.SETTLED,
                quantity=0,
                value=settlement,
                occurred_at=occurred_at,
                reason=reason,
            )
        split = split or [(0, quantity)]
        self._note(store, product, line, flow, reason, occurred_at, split, quantity, value, 1)

    def pass_through(
        self, product: Product, quantity: int, value: int, *, line: int, flow: Flow, lost: str
    ) -> None:
        """Goods that come back and are thrown away at once: in and out at the same value."""
        store = self.draft.store
        self.snapshot.balances[store.id, product.id].moved = True
        self.note(store, product, line=line, flow=flow, quantity=quantity, value=value)
        self.note(
            store,
            product,
            line=line,
            flow=Flow.WRITTEN_OFF,
            quantity=-quantity,
            value=-value,
            reason=lost,
        )

    def undo(
        self,
        product: Product,
        moves: Iterable[Move],
        *,
        store: Store,
        line: int,
        flow: int,
        reason: str,
        occurred_at: int | None = None,
    ) -> None:
        """Make the opposite of these sellable moves of one line: at exactly their values and lots.

        The balance feels them together: move by move, the last cost would remember a stock that
        never was.
        """
        totals: dict[int, list[int]] = {}
        for move in moves:
            total = totals.setdefault(move.lot_id, [0, 0])
            total[0] -= move.quantity
            total[1] -= move.value
        pair = store.id, product.id
        quantity, value = (sum(total[i] for total in totals.values()) for i in (0, 1))
        self.snapshot.balances[pair].take_at(-quantity, -value)
        shelf = self.snapshot.shelves.get(pair)
        for lot_id, (steps, worth) in totals.items():
            if shelf is not None and lot_id:
                shelf.change([(lot_id, steps)])
            self.note(
                store,
                product,
                line=line,
                flow=flow,
                quantity=steps,
                value=worth,
                lot_id=lot_id,
                reason=reason,
                occurred_at=occurred_at,
            )
        self.settle_lots(store, product, line, occurred_at, reason)

    def note(
        self,
        store: Store,
        product: Product,
        *,
        line: int,
        flow: int,
        quantity: int,
        value: int,
        bucket: int = Bucket.SELLABLE,
        lot_id: int = 0,
        reason: str = "",
        occurred_at: int | None = None,
    ) -> None:
        """Write a move into the draft; the balance was changed by the caller."""
        draft = self.draft
        if occurred_at is None and store is draft.store:
            moment, day = draft.occurred_at, draft.business_date
        else:
            moment = draft.occurred_at if occurred_at is None else occurred_at
            day = business_day(moment, zone=store.timezone, cutoff_minutes=store.day_cutoff_minutes)
        draft.moves.append(
            Move(
                line,
                store.id,
                product.id,
                bucket,
                flow,
                quantity,
                value,
                moment,
                day,
                lot_id,
                reason,
            )
        )
        if bucket == Bucket.SELLABLE and quantity:
            self.snapshot.moves_planned.setdefault((store.id, product.id), []).append(
                (moment, reason == COUNT_REASON, quantity)
            )

    def _note(
        self,
        store: Store,
        product: Product,
        line: int,
        flow: Flow,
        reason: str,
        occurred_at: int | None,
        split: Split,
        quantity: int,
        value: int,
        sign: int,
    ) -> None:
        done = valued = 0
        for lot_id, steps in split:
            done += steps
            part = share_of(value, done, quantity) - valued
            valued += part
            self.note(
                store,
                product,
                line=line,
                flow=flow,
                quantity=sign * steps,
                value=sign * part,
                lot_id=lot_id,
                reason=reason,
                occurred_at=occurred_at,
            )
        shelf = self.snapshot.shelves.get((store.id, product.id))
        if shelf is not None:
            shelf.change([(lot_id, sign * steps) for lot_id, steps in split])
            self.settle_lots(store, product, line, occurred_at, reason)

    def settle_lots(
        self, store: Store, product: Product, line: int, occurred_at: int | None, reason: str = ""
    ) -> None:
        """Exchange lots until none is negative and they fit what is on hand."""
        pair = store.id, product.id
        shelf = self.snapshot.shelves.get(pair)
        if shelf is None:
            return
        balance = self.snapshot.balances[pair]
        for lot_id, steps in shelf.settle(balance.on_hand):
            self.note(
                store,
                product,
                line=line,
                flow=Flow.REATTRIBUTED,
                quantity=steps,
                value=0,
                lot_id=lot_id,
                occurred_at=occurred_at,
                reason=reason,
            )
        balance.expired = shelf.expired
