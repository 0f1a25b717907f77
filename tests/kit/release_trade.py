"""What has happened in the shop of a release: of everything that can, at least one."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from photos import png
from release_shop import PASSWORD, Counter

from dianku.access.sessions import Sessions
from dianku.plugins.tables import plugin_switch

Json = Any
SEED = 20_260_302
ODD = "蛋糕/6寸 #1%+?&=é 👩‍👩‍👧‍👦"
ODD_NAME = "\u202eמים ﷽ 🂡 \ufeffZ\u0334\u0335algo\u00ad 𠮷野家 \\';-- <b>&amp;"
PAPER = b"%PDF-1.4\n%%EOF\n"
REPLAYED = {"kind": "receipt", "store": "S1", "lines": [{"sku": "cola", "quantity": 7}]}
"""What was sent with the key `once`; sent again it must be told as known."""


def trade(counter: Counter, *, link: Sessions) -> dict[str, Json]:
    """Do everything; the numbers and ids a test goes on with afterwards, by name."""
    owner = link.new_setup_link()
    counter.make("/setup", link=owner, name="老板娘", password=PASSWORD)
    _places(counter)
    _goods(counter)
    token = _people(counter)
    _settings(counter)
    known = {
        "token": token,
        "replayed": counter.make("/documents", key="once", **REPLAYED)["number"],
    }
    _stock(counter)
    _papers(counter)
    _lots(counter)
    known |= _transfers(counter)
    _counts(counter)
    _days(counter)
    _imports(counter)
    known |= _promises(counter)
    known |= _left_open(counter)
    return known


def _places(counter: Counter) -> None:
    label = {"prefix": "21", "template": "FFWWWWWEEEEEC"}
    for code, zone, cutoff, more in (
        ("S1", "Asia/Shanghai", "04:00", {"scale_templates": [label]}),
        ("NY", "America/New_York", "00:00", {}),
        ("KTM", "Asia/Kathmandu", "23:59", {}),
        ("LHI", "Australia/Lord_Howe", "02:30", {"kind": "warehouse"}),
    ):
        name = f"{ODD_NAME} {code}" if code == "KTM" else f"Store {code}"
        counter.make("/stores", code=code, name=name, timezone=zone, day_cutoff=cutoff, **more)
    counter.call("PATCH", "/stores/NY", {"name": "纽约 New York"})
    for code, parent in (("food", None), ("drinks", "food"), ("长" * 64, "drinks")):
        counter.make("/categories", code=code, name=code.title(), parent=parent, low_stock="2")
    counter.make("/channels", name="web", kind="webhook", policy="strict")
    counter.make("/channels", name="market", kind="douyin", policy="permissive", stores=["NY"])
    counter.make("/channels", name="slow", kind="webhook", issue_on="fulfilled")


def _goods(counter: Counter) -> None:
    def product(sku: str, **more: Json) -> None:
        key = f"make {sku}" if sku == "cola" else None
        counter.make("/products", key=key, **{"sku": sku, "name": sku.title(), "unit": "pc"} | more)

    pack = [{"code": "6901234567892"}, {"code": "16901234567899", "factor": 24, "price": "70"}]
    product("cola", category="drinks", barcodes=pack, price="3.50", cost="2.0125", low_stock="5")
    product("milk", category="drinks", track_lots=True, shelf_life_days=20, price="6")
    product("tea", precision=3, unit="kg", price="120.00", display={"unit": "袋", "factor": 2})
    product("rice", precision=1, unit="kg", max_stock="900.5", overstock_days=9)
    product(ODD, name=ODD_NAME[:200], spec="规" * 200, category="长" * 64, price="88888888.88")
    parts = [{"sku": "cola", "quantity": 2}, {"sku": "tea", "quantity": "0.250"}]
    product("box", composition="kit", components=parts, price="9.90", barcodes=[{"code": "69"}])
    inner = [{"sku": "box", "quantity": 2}, {"sku": "rice", "quantity": "0.5"}]
    product("hamper", composition="kit", components=inner, price="25")
    product("bun", composition="made", components=parts[1:], price="2", family="bread")
    bounds = {"min": "0.50", "max": "20"}
    product("wrapping", composition="service", price="1", open_price=bounds)
    product("gone")
    product("back")
    counter.make("/products/gone/archive")
    if counter.knows("/products/{sku}/unarchive"):
        counter.make("/products/back/archive")
        counter.make("/products/back/unarchive")
    counter.call("PATCH", "/products/rice", {"name": "Rice, 五常", "precision": 2})
    terms = {"price": "3.80", "low_stock": "9", "shelf": "A-01", "carried": True}
    counter.call("PUT", "/products/cola/stores/NY", terms)


def _people(counter: Counter) -> str:
    """Everybody there can be; returns a clerk's token, which says itself that it is no secret."""
    tokens = {}
    for role in ("owner", "manager", "clerk", "counter", "channel", "readonly"):
        stores = ["S1", "NY"] if role in {"clerk", "counter"} else None
        counter.make("/users", name=f"{role} 小王", role=role, password=PASSWORD, stores=stores)
        made = counter.make("/tokens", name=f"till of {role}", role=role, stores=stores)
        tokens[role] = made["token"]
    last = counter.call("GET", "/users")["items"][-1]
    guest = counter.make("/users", name="guest", role="clerk")
    counter.call("PATCH", f"/users/{guest['id']}", {"active": False})
    lost = counter.make("/tokens", name="lost", role="clerk")
    counter.call("DELETE", f"/tokens/{lost['id']}")
    counter.make("/tokens", name="short", role="clerk", expires_at="2026-04-01T00:00:00Z")
    counter.call("POST", "/devices", {"name": "till phone"})
    counter.make("/sessions", name=last["name"], password=PASSWORD)
    counter.refused("POST", "/sessions", {"name": last["name"], "password": "wrong wrong"})
    return str(tokens["clerk"])


def _settings(counter: Counter) -> None:
    shop = {"name": "街角 Corner", "low_stock": "3", "hold_minutes": 20, "backfill_days": 60}
    counter.call("PATCH", "/settings/shop", shop)
    counter.call("PATCH", "/settings/http", {"body_bytes_max": 8_000_001})
    counter.call("PATCH", "/settings/tasting", {"greeting": ODD_NAME, "key": "hush-hush"})
    row = {"plugin": "departed", "enabled": False, "changed_at": 1, "changed_by": "maker"}
    with counter.host.database.writing() as connection:
        connection.execute(sa.insert(plugin_switch).values(row))


def _stock(counter: Counter) -> None:
    for store in ("S1", "NY", "KTM", "LHI"):
        lines: list[Json] = [
            {"sku": "cola", "quantity": 500, "unit_cost": "2.0125"},
            {"sku": "cola", "quantity": 3, "amount": "7"},
            {"sku": "tea", "quantity": "40.125", "unit_cost": "61.3333"},
            {"sku": "rice", "quantity": "99.99", "amount": "100.01"},
            {"sku": ODD, "quantity": 5, "unit_cost": "12345.6789"},
            {"barcode": "16901234567899", "quantity": 2, "amount": "100"},
        ]
        counter.post("receipt", store, *lines, supplier="Coop 合作社", note="first\nsecond 👍")
        counter.wait(hours=1)


def _papers(counter: Counter) -> None:
    cola = {"sku": "cola", "quantity": 2}
    sold = counter.post("issue", "S1", {**cola, "amount": "6.99"}, {"sku": "hamper", "quantity": 3})
    more = {"of_document": sold["number"]}
    counter.post("customer_return", "S1", {"of_line": 2, "quantity": 1, "sku": "hamper"}, **more)
    back: list[Json] = [
        {"sku": "cola", "quantity": 1, "disposition": d} for d in ("damaged", "discard")
    ]
    counter.post("customer_return", "S1", *back)
    counter.post("supplier_return", "S1", cola, supplier="Coop 合作社")
    for reason in ("damaged", "expired", "lost", "stolen", "sample", "own_use", "other"):
        counter.post("write_off", "S1", {**cola, "quantity": 1, "reason": reason})
    counter.post("write_off", "S1", {**cola, "quantity": 1, "bucket": "damaged", "reason": "other"})
    counter.post("production", "S1", {"sku": "bun", "quantity": 4})
    counter.post("cost_adjustment", "S1", {"sku": "cola", "amount": "-1.37"})
    counter.post("issue", "S1", {"sku": "wrapping", "quantity": 1}, {"sku": "bun", "quantity": 1})
    _paid(counter, cola)
    wrong = counter.post("receipt", "S1", {"sku": "rice", "quantity": 9, "unit_cost": "77"})
    counter.post("issue", "S1", {"sku": "rice", "quantity": "50.01"})
    counter.make(f"/documents/{wrong['number']}/reverse", reason="typed twice")
    kept = counter.post("issue", "S1", {**cola, "quantity": 6, "kept": 5})
    part = {"lines": [{"line": 1, "quantity": 2}]}
    counter.call("POST", f"/documents/{kept['number']}/hand_over", part)
    batch = [{"kind": "issue", "store": "NY", "lines": [cola], "key": f"b-{n}"} for n in range(3)]
    counter.make("/documents/batch", documents=[*batch, {**batch[0], "store": "S1", "key": "b-0"}])


def _paid(counter: Counter, cola: Json) -> None:
    """A sale that says how it was paid, and is taken back."""
    two = {**cola, "amount": "6.00"}
    parts = [{"kind": "cash", "amount": "2.50"}, {"kind": "wechat", "amount": "3.50"}]
    sale = counter.post("issue", "S1", two, payments=parts)
    counter.make(f"/documents/{sale['number']}/reverse", reason="paid twice")
    counter.make("/closings", store="S1", counted="0.50", float_start="0.50", note="日结")
    keys = [{"sku": "tea", "colour": 3}, {"sku": "rice"}]
    counter.call("PUT", "/quick-keys", {"store": "S1", "keys": keys})


def _lots(counter: Counter) -> None:
    for code, made in (("L1", "2026-02-20"), ("L2", "2026-02-28"), ("批次" * 32, "2026-03-01")):
        line = {"sku": "milk", "quantity": 30, "unit_cost": "4", "lot": code, "made_on": made}
        counter.post("receipt", "S1", line)
    counter.post(
        "receipt", "NY", {"sku": "milk", "quantity": 5, "lot": "N", "expires_on": "2030-01-01"}
    )
    milk = {"sku": "milk", "quantity": 4}
    counter.post("issue", "S1", milk)
    counter.post("issue", "S1", {**milk, "lot": "L2"})
    counter.post("adjustment", "S1", {"sku": "milk", "delta": "-1"})
    counter.post("transfer", "S1", {**milk, "lot": "L2"}, to_store="NY")
    counter.wait(hours=24 * 12)
    counter.post("write_off", "S1", {**milk, "reason": "expired", "lot": "L1"})


def _transfers(counter: Counter) -> dict[str, str]:
    def sent(quantity: int) -> str:
        lines = {"sku": "cola", "quantity": quantity}, {"sku": "tea", "quantity": "1.5"}
        number: str = counter.post("transfer", "S1", *lines, to_store="LHI")["number"]
        return number

    half, short, whole, lost, still = (sent(n) for n in (10, 11, 12, 13, 14))
    for number, cola in ((half, 4), (short, 10), (whole, 12)):
        lines: list[Json] = [{"line": 1, "quantity": cola}]
        lines += [] if number == half else [{"line": 2, "quantity": "1.5"}]
        counter.make(f"/transfers/{number}/receive", lines=lines)
    over = {"lines": [{"line": 1, "quantity": 99}]}
    assert counter.refused("POST", f"/transfers/{half}/receive", over) == 409
    counter.make(f"/transfers/{short}/close", loss_to="sender")
    counter.make(f"/transfers/{lost}/close", loss_to="receiver")
    return {"transfer_half": half, "transfer_open": still}


def _counts(counter: Counter) -> None:
    def moment(hours: float) -> str:
        ms = counter.clock.now_ms() - int(hours * 3_600_000)
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat()

    cola = {"sku": "cola", "quantity": 3}
    counter.wait(hours=5)
    counter.post("adjustment", "KTM", {"sku": "cola", "counted": "540", "occurred_at": moment(2)})
    counter.post("issue", "KTM", cola, occurred_at=moment(3), sent_at=moment(0))  # late: absorbed
    counter.post("issue", "KTM", cola, occurred_at=moment(1))
    late = counter.post(
        "adjustment", "KTM", {"sku": "cola", "counted": "538"}, occurred_at=moment(1.5)
    )
    counter.make(f"/documents/{late['number']}/reverse", reason="another shelf")
    counter.post("receipt", "KTM", {**cola, "unit_cost": "9"}, occurred_at=moment(4))
    counter.post(
        "adjustment", "KTM", {"sku": "tea", "counted": "39.999"}, {"sku": "rice", "delta": "0.01"}
    )
    counter.post("issue", "KTM", {"sku": "tea", "quantity": "0.001"})  # on the boundary
    counter.post("issue", "KTM", cola, occurred_at=moment(24 * 50))


def _days(counter: Counter) -> None:
    chance = random.Random(SEED)
    goods = ("cola", "cola", "milk", "tea", "box", "hamper", "wrapping")
    for _ in range(40):
        counter.wait(hours=chance.uniform(2, 16))
        store = chance.choice(["S1", "S1", "NY", "KTM"])
        picked = chance.sample(goods, k=2)
        lines = [{"sku": sku, "quantity": chance.randint(1, 3)} for sku in picked]
        counter.post("issue", store, *lines)


def _imports(counter: Counter) -> None:
    sheets = {
        "products": "sku,name,unit,price,category\nnew-1,新品,pc,2.5,fresh\nnew-2,x,pc,1,\n",
        "opening-stock": "sku,quantity,cost\nnew-1,12,1.5\n",
        "receipts": "sku,quantity,cost\nnew-1,30,2.25\ncola,1,2\n",
        "counts": "sku,quantity\nnew-1,41\n",
        "sales-history": (
            "date,sku,quantity,amount\n2025-11-11,cola,44,150\n2025-11-12,cola,-1,-3.5\n"
        ),
    }
    for kind, text in sheets.items():
        file = text.encode()
        counter.upload("/imports", f"{kind}.csv", file, kind=kind, store="S1", dry_run="true")
        _ended(counter, counter.upload("/imports", f"{kind}.csv", file, kind=kind, store="S1"))
    broken = b"sku,quantity\nnobody,many\n"
    made = counter.upload("/imports", "wrong.csv", broken, kind="receipts", store="S1")
    assert _ended(counter, made)["failed"] == 1
    wrong = b"sku,name,unit\nundone,x,pc\nnew-2,y,pc\n"
    made = counter.upload("/imports", "undo.csv", wrong, kind="products")
    _ended(counter, made)
    counter.make(f"/imports/{made['id']}/undo")
    note = counter.upload("/attachments", "note.pdf", PAPER)["id"]
    photo = counter.upload("/attachments", "cola.png", png(8, 6))["id"]
    counter.call("PATCH", "/products/cola", {"photo": photo})
    newest = counter.call("GET", "/documents?limit=1")["items"][0]["number"]
    for one in (note, photo):
        counter.make(f"/documents/{newest}/attachments", attachment=one)


def _ended(counter: Counter, made: Json) -> Json:
    counter.host.exchange.wait(made["id"], seconds=60)
    return counter.call("GET", f"/imports/{made['id']}")


def _promises(counter: Counter) -> dict[str, str]:
    def hold(sku: str, quantity: Json, **more: Json) -> str:
        lines = [{"sku": sku, "quantity": quantity}]
        terms = {"store": "S1", "channel": "web", "expires_in": 90 * 86_400, **more}
        made: str = counter.make("/reservations", lines=lines, **terms)["id"]
        return made

    held = hold("cola", 5, reference="old order")
    kit = hold("hamper", 2, reference="old kits")
    for path, body in (("commit", None), ("release", None), ("extend", {"expires_in": 8_000_000})):
        counter.call("POST", f"/reservations/{hold('cola', 2)}/{path}", body)
    hold("tea", "0.125", expires_in=60)
    counter.make(
        "/reservations", store="NY", kind="preorder", due_on="2026-12-01",
        lines=[{"sku": "box", "quantity": 1}],
    )  # fmt: skip
    counter.wait(hours=1)
    counter.host.jobs.run_now("core.expire_holds")
    late = hold("rice", "0.5", expires_in=60)  # over, and not yet swept
    counter.wait(hours=1)
    return {"hold": held, "hold_of_kits": kit, "hold_over": late}


def _left_open(counter: Counter) -> dict[str, str]:
    short = {"sku": "milk", "quantity": 50}
    counter.post("issue", "NY", short, channel="market")  # sold without stock
    counter.post("issue", "KTM", {"sku": "back", "quantity": 2}, channel="web", fact=True)
    stock = counter.call("GET", "/stock?sku=cola&store=S1")["items"][0]
    counter.post("issue", "S1", {"sku": "cola", "quantity": stock["on_hand"]})  # promised to others
    counter.post("receipt", "S1", {"sku": "cola", "quantity": 200, "unit_cost": "2.5"})
    first = counter.call("GET", "/exceptions")["items"][0]
    counter.make(f"/exceptions/{first['id']}/settle", note="looked 看过")
    sold = counter.post(
        "issue", "S1", {"sku": "cola", "quantity": 4, "amount": "13.99"}, reference="old sale"
    )
    taken = counter.post("receipt", "S1", {"sku": ODD, "quantity": 2, "unit_cost": "1"})
    return {"sale": sold["number"], "receipt": taken["number"]}
