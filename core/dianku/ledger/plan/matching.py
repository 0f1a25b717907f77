"""Match what a customer brings back with the lines of the sale it was bought on.

A return names goods; the sale may have them on several lines, at several prices. What is left of
each is taken in their order, so that costs, refunds and goods that wait follow their lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import define, evolve, field

from dianku.errors import FieldError, Problem, Refused
from dianku.ledger.commands import Line, Posting
from dianku.ledger.plan.giving_back import amount_between, returned_so_far
from dianku.ledger.plan.keeping import kept_share, still_kept
from dianku.ledger.posting.snapshot import Family, StoredLine
from dianku.quantity import format_quantity, share_of


def matched(posting: Posting, family: Family) -> Posting:
    """Find each line's originals and hold the quantities against them.

    A line that does not say of which line of the sale it is may be of several, and becomes one for
    each of them.
    """
    errors: list[FieldError] = []
    over: list[dict[str, object]] = []
    lines: list[Line] = []
    left = _Left(family)
    for line in posting.lines:
        origins = _origins(family, line)
        if not origins:
            where = f"/lines/{line.number - 1}/of_line"
            errors.append(FieldError(where, "no_such_line", {"line": line.of_line or 0}))
            continue
        shares = left.shares(line, origins)
        if shares is None:
            over.append(left.over(line, origins))
            continue
        for share in _with_amounts(line, shares, left):
            left.take(share)
            lines.append(evolve(share, number=len(lines) + 1))
    if errors:
        raise Refused(Problem("invalid", errors=errors))
    if over:
        raise Refused(
            Problem("over_returned", {"number": family.root.number}, extra={"lines": over})
        )
    return evolve(posting, lines=tuple(lines))


def _origins(family: Family, line: Line) -> list[StoredLine]:
    """The lines of the sale that a line may be of."""
    if family.root.kind != "issue" or family.root.action != "post":
        return []
    return [
        x
        for x in family.root.lines
        if x.product_id == line.product.id and line.of_line in (None, x.number)
    ]


@define
class _Left:
    """What is left of a sale's lines while a return is held against them."""

    family: Family
    _returned: dict[int, int] = field(factory=dict)
    _unkept: dict[int, int] = field(factory=dict)

    def start(self, origin: StoredLine) -> int:
        """Steps of a line that came back before."""
        now = self._returned.get(origin.number, 0)
        return returned_so_far(self.family, origin.number) + now

    def kept(self, origin: StoredLine) -> int:
        """Steps of a line that wait in the shop."""
        return still_kept(self.family, origin) - self._unkept.get(origin.number, 0)

    def with_customer(self, origin: StoredLine) -> int:
        """Steps of a line that the customer has."""
        return origin.quantity - self.start(origin) - self.kept(origin)

    def take(self, line: Line) -> None:
        """Note that a matched line comes back."""
        assert line.of_line is not None, "matched"
        self._returned[line.of_line] = self._returned.get(line.of_line, 0) + line.quantity
        self._unkept[line.of_line] = self._unkept.get(line.of_line, 0) + line.kept

    def shares(self, line: Line, origins: Sequence[StoredLine]) -> list[Line] | None:
        """What of a line is of which line of the sale; None where there is not as much left.

        All of the first that has enough; else what each has, in their order: what the customer
        has first, and what waits in the shop where the return says so or nothing else is left.
        """
        if self.family.root.reversed:
            return None
        said = line.kept or None
        for origin in origins:
            kept, held = self.kept(origin), self.with_customer(origin)
            share = kept_share(line.quantity, kept=kept, with_customer=held, said=said)
            if share is not None:
                return [evolve(line, of_line=origin.number, kept=share)]
        kept, held = sum(map(self.kept, origins)), sum(map(self.with_customer, origins))
        share = kept_share(line.quantity, kept=kept, with_customer=held, said=said)
        return None if share is None else self._spread(line, origins, share)

    def _spread(self, line: Line, origins: Sequence[StoredLine], kept: int) -> list[Line]:
        shares: list[Line] = []
        held = line.quantity - kept
        for origin in origins:
            of_kept = min(kept, self.kept(origin))
            of_held = min(held, self.with_customer(origin))
            kept, held = kept - of_kept, held - of_held
            if of_kept + of_held:
                steps = of_kept + of_held
                shares.append(evolve(line, of_line=origin.number, quantity=steps, kept=of_kept))
        return shares

    def paid(self, line: Line) -> int:
        """What was paid for the steps a matched line brings back, minor units."""
        origin = self.family.root.line(line.of_line or 0)
        assert origin is not None, "matched"
        start = self.start(origin)
        return amount_between(origin, start, start + line.quantity)

    def over(self, line: Line, origins: Sequence[StoredLine]) -> dict[str, object]:
        """What is told of a line that brings back more than there is."""
        gone = self.family.root.reversed
        kept = sum(map(self.kept, origins))
        left = kept + sum(map(self.with_customer, origins))
        precision = line.product.precision
        return {
            "line": origins[0].number,
            "sku": line.product.sku,
            "requested": format_quantity(line.quantity, precision),
            "returnable": format_quantity(0 if gone else max(left, 0), precision),
            "kept": format_quantity(0 if gone else max(kept, 0), precision),
        }


def _with_amounts(line: Line, shares: Sequence[Line], left: _Left) -> Iterator[Line]:
    """Spread what is refunded for a line over its shares, in proportion to what was paid."""
    if line.amount is None or len(shares) == 1:
        yield from shares
        return
    paid = [left.paid(share) for share in shares]
    total, done, given = sum(paid), 0, 0
    for share, part in zip(shares, paid, strict=True):
        done += part
        upto = share_of(line.amount, done, total) if total else line.amount
        yield evolve(share, amount=upto - given)
        given = upto
