"""Labels to print: price tags for the shelf and barcodes for goods that bear none.

The page shows what `GET /labels` has in its PDF, drawn by the same layout. What cannot be printed
as it was asked for is said beside the labels: wrong figures, codes nobody has, goods beyond the
bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from dianku.api import Call, Page, Title
from dianku_console.labels.asking import COPIES_MAX, GOODS_MAX, LABELS_MAX, Ware, wares
from dianku_console.labels.codes import Wanted
from dianku_console.labels.drawing import Drawn, drawn
from dianku_console.labels.papers import PAPERS, USUAL, Paper
from dianku_console.labels.texts import unknown
from dianku_console.pages.goods import SHOWN, text_of, texts_of

ADDRESS = "/console/goods/labels"
ADDRESS_MAX = 12_000
"""Bytes that the goods of an address may take; the server hears 16 kB of line and headers."""
CHOICES_MAX = 8
UNKNOWN_SHOWN = 20
ISOLATED = "\N{FIRST STRONG ISOLATE}{}\N{POP DIRECTIONAL ISOLATE}"
"""What is written from right to left turns nothing around it."""
KINDS = ("roll", "stickers", "cut")


@frozen
class _Asked:
    """What the address says, with what is wrong in it: names of fields, places of figures."""

    paper: Paper
    wanted: Wanted
    priced: bool
    copies: Sequence[str]
    first: int
    wrong: Sequence[str]


def _labels(call: Call) -> dict[str, Any]:
    skus = texts_of(call, "sku")
    asked = _asked(call, len(skus))
    copies = list(asked.copies)
    added, choices = _added(call)
    skus += [sku for sku in added if sku not in skus]
    following = ""
    # Those of a shelf are asked for once; from then on the goods are named one by one.
    if not skus and not choices:
        skus, following = _of_list(call)
    bound = _fitting(skus)
    rest = skus[bound:]
    # What was just added, or comes of a list, has no figure of its own yet.
    copies += [copies[0] if len(set(copies)) == 1 else "1"] * (len(skus) - len(copies))
    found = list(wares(call, skus[:bound], store=str(call.query["store"]), priced=asked.priced))
    rows = [(sku, ware, count) for (sku, ware), count in zip(found, copies, strict=False)]
    known = [(ware, count) for _, ware, count in rows if ware is not None]
    return {
        "rows": [(ware.product, count) for ware, count in known],
        "strangers": [sku for sku, ware, _ in rows if ware is None],
        "choices": choices,
        "missing": bool(text_of(call, "add").strip()) and not added and not choices,
        "following": following,
        "left_out": len(rest),
        "rest": f"{ADDRESS}?{_further(call, rest, copies[bound:])}" if rest else "",
        "papers": [(kind, [one for one in PAPERS.values() if one.kind == kind]) for kind in KINDS],
        "paper": asked.paper,
        "wanted": asked.wanted,
        "priced": asked.priced,
        "first": text_of(call, "first").strip(),
        "wrong": asked.wrong,
        "copies_max": COPIES_MAX,
        "goods_max": bound,
        "labels_max": LABELS_MAX,
        **_drawn(known, asked),
        "pdf": f"/api/v1/labels?{_query(call, known, asked)}",
    }


def _asked(call: Call, goods: int) -> _Asked:
    size, code = text_of(call, "size") or USUAL, text_of(call, "code") or "bars"
    found = call.query.get("copies") or []
    copies = [str(one).strip() for one in (found if isinstance(found, list) else [found])]
    if len(copies) == 1:
        copies *= max(goods, 1)
    wrong = [f"copies.{at}" for at, one in enumerate(copies) if not _right(one)]
    wrong += ["size"] if size not in PAPERS else []
    wrong += ["code"] if code not in {"bars", "qr"} else []
    paper = PAPERS.get(size, PAPERS[USUAL])
    # What was typed for stickers is kept in the address while another paper is looked at.
    first = text_of(call, "first").strip() if paper.kind == "stickers" else ""
    wrong += ["first"] if first and not _right(first, most=paper.per_page) else []
    return _Asked(
        paper=paper,
        wanted="qr" if code == "qr" else "bars",
        priced=text_of(call, "plain") != "1",
        copies=copies,
        first=int(first) if first and "first" not in wrong else 1,
        wrong=wrong,
    )


def _right(number: str, *, most: int = COPIES_MAX) -> bool:
    whole = number.isascii() and number.isdigit() and len(number) <= len(str(most))
    return whole and 1 <= int(number) <= most


def _drawn(known: Sequence[tuple[Ware, str]], asked: _Asked) -> dict[str, Any]:
    """The labels, and on which page at which place each stands; none while a figure is wrong."""
    wrong = any(name.startswith(("copies", "size", "first")) for name in asked.wrong)
    count = 0 if wrong else sum(int(copies) for _, copies in known)
    labels: list[Drawn] = []
    sheets: list[list[tuple[int, float, float]]] = []
    if 0 < count <= LABELS_MAX:
        labels = [drawn(ware.tag, asked.paper, wanted=asked.wanted) for ware, _ in known]
        queue = (at for at, (_, copies) in enumerate(known) for _ in range(int(copies)))
        placed = asked.paper.sheets(queue, first=asked.first)
        sheets = [[(at, x, y) for at, (x, y) in sheet] for sheet in placed]
    texts = "".join(line.text for label in labels for line in label.lines)
    return {
        "labels": labels,
        "sheets": sheets,
        "count": len(labels) and count,
        "too_many": count if count > LABELS_MAX else 0,
        "signs": ISOLATED.format(" ".join(unknown(texts)[:UNKNOWN_SHOWN]))
        if unknown(texts)
        else "",
        "squared": _names(
            label for label in labels if asked.wanted == "bars" and _has_square(label)
        ),
        "without_code": _names(label for label in labels if label.mark is None),
    }


def _has_square(label: Drawn) -> bool:
    return label.mark is not None and label.mark.kind == "qr"


def _names(labels: Iterable[Drawn]) -> list[str]:
    return [label.tag.name for label in labels]


def _added(call: Call) -> tuple[list[str], Sequence[Mapping[str, Any]]]:
    """The product that was typed or scanned; several that it may be."""
    typed = text_of(call, "add").strip()[:200]
    if not typed:
        return [], ()
    found = call.ask("/products", q=typed, limit=CHOICES_MAX)["items"]
    codes = [one for one in found if typed in {one["sku"], *(b["code"] for b in one["barcodes"])}]
    if len(codes) == 1 or len(found) == 1:
        return [(codes or found)[0]["sku"]], ()
    return [], found


def _of_list(call: Call) -> tuple[list[str], str]:
    """The goods of a list as it was narrowed, and the address of those after them."""
    kept = {name: text_of(call, name).strip() for name in ("q", "category", "show")}
    kept = {name: value for name, value in kept.items() if value}
    if not kept:
        return [], ""
    show = kept.get("show")
    asked: dict[str, Any] = {"q": kept.get("q"), "category": kept.get("category")}
    asked["cursor"] = text_of(call, "cursor") or None

    def page(limit: int) -> tuple[list[str], str | None]:
        if show in SHOWN and show != "archived":
            store = call.query["store"] or None
            found = call.ask("/stock", store=store, limit=limit, **{show: True}, **asked)
        else:
            found = call.ask("/products", archived=show == "archived", limit=limit, **asked)
        return [str(one["sku"]) for one in found["items"]], found["next_cursor"]

    skus, cursor = page(GOODS_MAX)
    if (fitting := _fitting(skus)) < len(skus):
        skus, cursor = page(fitting)
    skus = list(dict.fromkeys(skus))
    further = {**kept, **_chosen(call), "cursor": cursor}
    return skus, f"{ADDRESS}?{urlencode(further)}" if cursor else ""


def _fitting(skus: Sequence[str]) -> int:
    """How many goods are shown at once: those that can be named again with their figures."""
    left = ADDRESS_MAX
    for at, sku in enumerate(skus[:GOODS_MAX]):
        left -= len(urlencode({"sku": sku, "copies": COPIES_MAX})) + 1
        if left < 0:
            return at
    return GOODS_MAX


def _chosen(call: Call) -> dict[str, str]:
    """Paper, code and price as they were chosen, for an address of other goods.

    Not where the first sheet begins: what is printed before them uses that up.
    """
    names = ("size", "code", "plain")
    return {name: text_of(call, name) for name in names if text_of(call, name)}


def _further(call: Call, skus: Sequence[str], copies: Sequence[str]) -> str:
    return urlencode({**_chosen(call), "sku": skus, "copies": copies}, doseq=True)


def _query(call: Call, known: Sequence[tuple[Ware, str]], asked: _Asked) -> str:
    """What the PDF is asked for by."""
    pairs = [("size", asked.paper.name), ("code", asked.wanted)]
    pairs += [] if asked.priced else [("plain", "true")]
    pairs += [("first", str(asked.first))] if asked.first > 1 else []
    pairs += [("store", str(call.query["store"]))] if call.query["store"] else []
    pairs += [("sku", ware.product["sku"]) for ware, _ in known]
    counts = [count for _, count in known]
    told = counts[:1] if len(set(counts)) == 1 else counts
    return urlencode([*pairs, *(("copies", one) for one in told)])


PAGES = (
    Page(
        ADDRESS,
        Title("打印标签", "Print labels"),
        "catalog.view",
        "goods/labels.html",
        _labels,
    ),
)
