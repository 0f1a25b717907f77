"""Keys at the counter: a store's own, or the whole shop's, in the order a person gave them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Ask = Callable[..., Any]


def put(call: Ask, *keys: tuple[str, int], store: str | None = None, **more: Any) -> Any:
    wanted = [{"sku": sku, "colour": colour} for sku, colour in keys]
    return call("PUT", "/quick-keys", {"store": store, "keys": wanted}, **more)


def shown(call: Ask, store: str | None = None) -> tuple[str | None, list[tuple[str, int]]]:
    """Who chose what a store shows, and the keys."""
    found = call("GET", f"/quick-keys{f'?store={store}' if store else ''}", role="clerk").json()
    return found["chosen"], [(one["sku"], one["colour"]) for one in found["items"]]


def test_store_shows_its_own_keys_or_those_of_the_whole_shop(call: Ask) -> None:
    assert shown(call, "S1") == (None, [])
    assert put(call, ("cola", 0), ("cake", 3)).status_code == 200
    assert shown(call, "S1") == shown(call) == ("shop", [("cola", 0), ("cake", 3)])
    answer = put(call, ("cake", 1), store="S1").json()
    assert (answer["chosen"], [one["name"] for one in answer["items"]]) == ("store", ["cake"])
    assert shown(call, "S1") == ("store", [("cake", 1)])
    assert shown(call, "S2") == ("shop", [("cola", 0), ("cake", 3)])
    assert put(call, store="S1").json()["chosen"] == "shop"
    assert shown(call, "S1") == ("shop", [("cola", 0), ("cake", 3)])


def test_key_has_the_price_of_its_store_and_says_what_is_archived(call: Ask) -> None:
    assert call("PUT", "/products/cake/stores/S1", {"price": "2.50"}).status_code == 200
    put(call, ("cake", 0), ("cola", 0))
    call("POST", "/products/cola/archive", {})
    told = call("GET", "/quick-keys?store=S1").json()["items"]
    assert [(one["price"], one["archived"]) for one in told] == [("2.50", False), ("3.00", True)]
    told = call("GET", "/quick-keys?store=S2").json()["items"]
    assert (told[0]["price"], told[0]["photo"]) == ("3.00", None)


def test_keys_that_are_wrong_are_named_and_change_nothing(call: Ask) -> None:
    put(call, ("cola", 0), store="S1")
    answer = put(call, ("cake", 0), ("nothing", 0), ("cake", 2), store="S1")
    assert answer.status_code == 422
    said = [(one["pointer"], one["code"]) for one in answer.json()["errors"]]
    assert said == [("/keys/1/sku", "unknown_product"), ("/keys/2/sku", "key_twice")]
    for wrong in (7, -1):
        assert put(call, ("cake", wrong), store="S1").status_code == 422
    assert put(call, *[("cake", 0)] * 61, store="S1").status_code == 422
    assert put(call, ("cake", 0), store="S9").status_code == 404
    assert call("GET", "/quick-keys?store=S9").status_code == 404
    assert shown(call, "S1") == ("store", [("cola", 0)])


def test_keys_are_changed_by_who_may_and_where_they_may(call: Ask) -> None:
    assert put(call, ("cola", 0), store="S1", role="clerk").status_code == 403
    mine: dict[str, Any] = {"role": "manager", "stores": ["S1"]}
    assert put(call, ("cola", 0), **mine).status_code == 403
    assert put(call, ("cola", 0), store="S2", **mine).status_code == 403
    assert call("GET", "/quick-keys?store=S2", **mine).status_code == 403
    assert put(call, ("cola", 0), store="S1", **mine).status_code == 200
    assert (shown(call, "S1")[0], shown(call, "S2")[0], shown(call)[0]) == ("store", None, None)


def test_change_of_keys_is_in_the_trail_and_the_same_again_is_not(call: Ask) -> None:
    put(call, ("cola", 0), ("cake", 2), store="S1", role="manager")
    put(call, ("cake", 2), ("cola", 0), store="S1", role="manager")
    put(call, ("cake", 2), ("cola", 0), store="S1", role="manager")
    lines = call("GET", "/audit?action=quick_keys.change").json()["items"]
    said = [(one["subject"], one["actor"], one["before"], one["after"]) for one in lines]
    first, second = {"keys": ["cola 0", "cake 2"]}, {"keys": ["cake 2", "cola 0"]}
    assert said == [
        ("S1", "manager token", first, second),
        ("S1", "manager token", {"keys": []}, first),
    ]
