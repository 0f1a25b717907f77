"""Late movements: what moved before a count and is booked after it, the count has already seen.

The movement is posted with, in the same transaction, an equal opposite adjustment against that
count: same lots, same value, dated at the count's moment. On hand does not move; the count's
difference is restated by it. Only the first count after the movement absorbs.
"""

from __future__ import annotations

from dianku.context import Context
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.plan.making import begin
from dianku.ledger.posting.draft import Draft, DraftLine, Move, Raised
from dianku.ledger.posting.mover import COUNT_REASON, Mover
from dianku.ledger.posting.snapshot import Count, Pair, Snapshot

BOUNDARY_MS = 2_000
"""A movement this close to a count is placed by its time and shown to a person."""


def absorb(snapshot: Snapshot, draft: Draft, ctx: Context) -> None:
    """Post what counts have already seen of a draft's moves against these counts."""
    groups: dict[tuple[int, int], list[tuple[Count, Move]]] = {}
    for move in draft.moves:
        if move.bucket != Bucket.SELLABLE:
            continue
        pair = move.store_id, move.product_id
        # Counts of one document are planned in their order: each found what came before it.
        count = snapshot.counts_after(pair, move.occurred_at, besides=draft)
        if count is not None:
            document = id(count.draft) if count.draft else count.document_id
            groups.setdefault((document, move.store_id), []).append((count, move))
    for seen in groups.values():
        absorb_by(snapshot, draft, ctx, seen)
    _note_boundaries(snapshot, draft)


def absorb_by(
    snapshot: Snapshot,
    cause: Draft,
    ctx: Context,
    seen: list[tuple[Count, Move]],
    *,
    at: int | None = None,
) -> None:
    """Post the opposite of moves of one store against one count's document.

    Each at the moment its own line was counted at (one document may hold counts of several), or
    all at the moment `at`.
    """
    first_count, first = seen[0]
    store = snapshot.cache.stores_by_id[first.store_id]
    draft = begin(
        snapshot,
        ctx,
        kind="adjustment",
        action="absorption",
        store=store,
        occurred_at=first_count.at if at is None else at,
        of_document_id=first_count.document_id or None,
        of_number=first_count.number or None,
        of_draft=first_count.draft,
        cause=cause,
    )
    mover = Mover(snapshot, draft)
    lines: dict[tuple[int, int], list[Move]] = {}
    for count, move in seen:
        lines.setdefault((move.product_id, count.line), []).append(move)
    moments = {count.line: count.at for count, _ in seen}
    for number, ((product_id, count_line), moves) in enumerate(lines.items(), 1):
        product = snapshot.cache.product(product_id)
        counted_at = moments[count_line] if at is None else at
        mover.undo(
            product,
            moves,
            store=store,
            line=number,
            flow=Flow.ADJUSTED,
            reason=COUNT_REASON,
            occurred_at=counted_at,
        )
        draft.lines.append(
            DraftLine(
                number,
                product,
                -sum(m.quantity for m in moves),
                cost=abs(sum(m.value for m in moves)),
                of_line=count_line,
                occurred_at=counted_at,
            )
        )
    snapshot.drafts.append(draft)


def _note_boundaries(snapshot: Snapshot, draft: Draft) -> None:
    told: set[Pair] = set()
    for move in draft.moves:
        pair = move.store_id, move.product_id
        if pair in told or move.reason == COUNT_REASON or move.bucket != Bucket.SELLABLE:
            continue
        if not move.quantity:  # only value: whoever counted saw no goods move
            continue
        for count in snapshot.counts.get(pair, ()):
            if abs(count.at - move.occurred_at) <= BOUNDARY_MS:
                told.add(pair)
                sku = snapshot.cache.product(move.product_id).sku
                draft.raised.append(
                    Raised(
                        "count_boundary",
                        move.store_id,
                        move.product_id,
                        {
                            "sku": sku,
                            "count": count.number,
                            "counted_at": count.at,
                            "moved_at": move.occurred_at,
                        },
                    )
                )
                draft.warnings.append(("count_boundary", {"sku": sku, "count": count.number}))
                break
