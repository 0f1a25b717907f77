"""Goods whose codes are more than a number: shared, weighed, a carton, past their date, absurd."""

from __future__ import annotations

from shop_server import Server

PLAIN = "6999000100855"
"""淡爽啤酒 of the demonstration shop."""
SHARED = "6900000000014"
"""On two goods."""
CARTON = "6900000000021"
WEIGHED = "2200001012509"
"""Item 00001, 1.25 kg, by the store's own scale."""
UNKNOWN = "6911111111116"
LONG = "6900000000038"
GTIN_EXPIRED = f"(01)0{PLAIN}(17)200101(10)L1"


def scan_goods(server: Server, token: str) -> None:
    """Make them in the shop's first store."""
    shop = server.call("GET", "/stores", token=token)["items"][0]["code"]
    scale = {"scale_templates": [{"prefix": "22", "template": "FFWWWWWNNNNNC"}]}
    server.call("PATCH", f"/stores/{shop}", token=token, body=scale)
    for sku, name, code, price, further in (
        ("TWIN-A", "茉莉花茶", SHARED, "12.00", {}),
        ("TWIN-B", "茉莉花茶礼盒", SHARED, "48.00", {}),
        ("00001", "红富士苹果", "", "8.80", {"unit": "kg", "precision": 3}),
        ("LONG", "特" * 200, LONG, "9999999999.99", {"spec": "规" * 200}),
    ):
        body = {"sku": sku, "name": name, "unit": "盒", "price": price, **further}
        body["barcodes"] = [{"code": code}] if code else []
        server.call("POST", "/products", token=token, body=body)
    pack = {"code": CARTON, "factor": 24, "price": "88.00"}
    known = server.call("GET", "/products/AL085", token=token)["barcodes"]
    server.call("PATCH", "/products/AL085", token=token, body={"barcodes": [*known, pack]})
