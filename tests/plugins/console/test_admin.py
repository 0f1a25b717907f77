"""The door and the rooms of administration: who gets where, what is refused, and their flows."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import PASSWORD, Served, session, visit
from playwright.sync_api import Browser, expect
from shop_server import Server, ShopFolder

LISTS = (
    "/console/people",
    "/console/tokens",
    "/console/devices",
    "/console/stores",
    "/console/channels",
    "/console/settings",
    "/console/settings/shop",
    "/console/plugins",
    "/console/jobs",
    "/console/backups",
    "/console/audit",
    "/console/about",
)
OPEN = {
    "owner": set(LISTS),
    "limited": set(LISTS) - {"/console/backups", "/console/audit"},
    "manager": {
        "/console/devices",
        "/console/stores",
        "/console/channels",
        "/console/settings",
        "/console/settings/shop",
        "/console/plugins",
        "/console/jobs",
        "/console/about",
    },
    "clerk": set(),
    "counter": set(),
}
"""Who opens which page; `limited` is an owner of one store."""
EVERYBODY = ("/console/more", "/console/sign-ins", "/console/first")
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are looked at, not followed."""

    def redirect_request(self, *_args: object, **_more: object) -> None:
        return None


def shown(server: Server, path: str, secret: str = "") -> tuple[int, str]:
    """The status of a page and its text (of a redirect: where to), to whom holds a session."""
    request = urllib.request.Request(
        server.url + path, headers={"Cookie": f"dianku_session={secret}"} if secret else {}
    )
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Location") or error.read().decode()


@pytest.fixture(scope="module")
def secrets(served: Served) -> dict[str, str]:
    """A session of each."""
    body = {"name": "limited", "role": "owner", "password": PASSWORD, "stores": ["XQ01"]}
    served.server.call("POST", "/users", token=served.token, body=body)
    return {who: session(served.server, who) for who in OPEN}


@pytest.mark.parametrize("who", OPEN)
def test_pages_open_to_whom_the_api_answers(
    served: Served, secrets: dict[str, str], who: str
) -> None:
    found = {path for path in LISTS if shown(served.server, path, secrets[who])[0] == 200}
    assert found == OPEN[who]
    refused = {path: shown(served.server, path, secrets[who])[0] for path in set(LISTS) - found}
    assert set(refused.values()) <= {403}
    for path in EVERYBODY:
        status, text = shown(served.server, path, secrets[who])
        assert status == 200
        linked = {link for link in re.findall(r'href="(/console/[a-z-]+)"', text) if link in LISTS}
        assert linked <= OPEN[who], "a page leads where the reader may not go"


def test_nobody_is_sent_to_the_door(served: Served) -> None:
    for path in (*LISTS, *EVERYBODY):
        status, where = shown(served.server, path)
        assert (status, where) == (
            303,
            f"/console/sign-in?next={urllib.parse.quote(path, safe='')}",
        )


def test_owner_of_one_store_sees_nobody_and_nothing_of_others(
    served: Served, secrets: dict[str, str]
) -> None:
    people = shown(served.server, "/console/people", secrets["limited"])[1]
    assert "limited" in people
    assert "manager" not in people
    stores = shown(served.server, "/console/stores", secrets["limited"])[1]
    assert "XQ01" in stores
    assert "ZC01" not in stores
    assert shown(served.server, "/console/stores/ZC01", secrets["limited"])[0] == 404
    section = shown(served.server, "/console/settings/shop", secrets["limited"])[1]
    assert 'type="submit"' not in section


def test_who_is_kept_to_one_store_still_sends_goods_to_another(
    served: Served, secrets: dict[str, str]
) -> None:
    transfer = shown(served.server, "/console/transfer", secrets["limited"])[1]
    assert 'value="ZC01"' in transfer
    assert 'href="/console/arrivals"' in transfer


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/console/..//evil.example/",
        "/console/\t/evil.example",
        "javascript:alert(1)",
        "/api/v1/me",
        "/console",
    ],
)
def test_door_leads_nowhere_but_to_the_console(served: Served, wanted: str) -> None:
    text = shown(served.server, f"/console/sign-in?next={urllib.parse.quote(wanted, safe='')}")[1]
    assert 'data-next="/console/"' in text


def test_names_are_text_on_every_page(served: Served, secrets: dict[str, str]) -> None:
    call, token = served.server.call, served.token
    person = call("POST", "/users", token=token, body={"name": EVIL, "role": "clerk"})
    call("POST", "/tokens", token=token, body={"name": EVIL, "role": "clerk"})
    call("PATCH", "/stores/ZC01", token=token, body={"name": EVIL})
    body = {"name": "evil device", "role": "clerk", "password": PASSWORD}
    call("POST", "/users", token=token, body=body)
    signed = {"name": "evil device", "password": PASSWORD, "device": EVIL}
    request = urllib.request.Request(
        f"{served.server.url}/api/v1/sessions",
        data=json.dumps(signed).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()
    pages = (*LISTS, *EVERYBODY, f"/console/people/{person['id']}", "/console/stores/ZC01")
    seen = 0
    for path in pages:
        status, text = shown(served.server, path, secrets["owner"])
        assert status == 200
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        seen += "&lt;script&gt;alert(1)" in text
    assert seen >= 5


def test_odd_addresses_are_no_pages(served: Served, secrets: dict[str, str]) -> None:
    for path in (
        "/console/people/999999",
        "/console/people/x",
        "/console/stores/%2e%2e",
        "/console/channels/%00",
        "/console/settings/nothing",
        "/console/settings/..%2Fme",
    ):
        assert shown(served.server, path, secrets["owner"])[0] == 404, path
    for path in ("/console/audit?cursor=x", "/console/audit?actor=a&actor=b"):
        assert shown(served.server, path, secrets["owner"])[0] in {200, 422}, path


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    """A server whose shop nobody has set up."""
    with Server(ShopFolder(tmp_path / "shop")) as server:
        yield server


def test_first_start_leads_from_the_link_to_the_first_goods(
    browser: Browser, fresh: Server
) -> None:
    address = fresh.url
    link = re.search(r"http://\S+/console/set-up#link=\S+", fresh.log)
    assert link, fresh.log
    assert link[0].startswith(address)
    with visit(browser, fresh) as one:
        page = one.page
        page.goto(link[0])
        page.wait_for_url("**/console/set-up")
        one.shot("set-up")
        page.get_by_label("您的姓名").fill("王老板")
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_label("店名").fill("小街面包店")
        page.get_by_label("第一家门店").fill("小街店")
        assert page.get_by_label("时区").input_value() == "Asia/Shanghai"
        page.get_by_role("button", name="开店").click()
        page.wait_for_url("**/console/first")
        one.shot("first")
        page.route("**/console/goods", lambda route: route.fulfill(body="goods"))
        page.get_by_role("button", name="放入示例商品").click()
        page.wait_for_url("**/console/goods")
        assert (
            page.evaluate(
                "fetch('/api/v1/products').then((a) => a.json()).then((b) => b.items.length)"
            )
            == 8
        )
        page.goto(f"{address}/console/")
        expect(page.locator(".doing a[href='/console/sell']")).to_be_visible()
        # Who opened the shop is shown around once, and never again unless they ask.
        tour = page.get_by_role("dialog", name="先扫一下")
        expect(tour).to_be_visible()
        one.shot("tour-first")
        tour.get_by_role("button", name="跳过").click()
        expect(tour).to_have_count(0)
        page.reload()
        expect(page.locator("html[data-ready]")).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.locator(".first-steps .mark.done")).to_have_count(1)
        expect(page.locator(".first-steps a[aria-current]")).to_have_attribute(
            "href", "/console/receive"
        )
        one.shot("home-first-steps")
        expect(
            page.locator("a[href='/console/transfer'], a[href='/console/arrivals']")
        ).to_have_count(0)
        page.goto(link[0])
        expect(page.get_by_text("这家店已经开好了")).to_be_visible()
        one.shot("set-up-again")


def test_guessing_makes_the_door_wait_and_say_how_long(browser: Browser, served: Served) -> None:
    with visit(browser, served.server, kind="desktop", language="en") as one:
        page = one.open("/console/sign-in")
        page.get_by_label("Name", exact=True).fill("counter")
        for _ in range(6):
            page.get_by_label("Password").fill("a wrong password")
            with page.expect_response("**/api/v1/sessions") as answer:
                page.get_by_role("button", name="Sign in").click()
            answer.value.finished()
        expect(page.get_by_role("alert")).to_contain_text("try again in")
        expect(page.get_by_role("button", name="Sign in")).to_be_disabled()
        one.shot("door-waits")
        # Each of them is a refused request, which a browser notes by itself.
        assert all("401" in said or "429" in said for said in one.complaints)
        one.complaints.clear()


def test_owner_manages_people_tokens_settings_and_leaves(browser: Browser, served: Served) -> None:
    with visit(browser, served.server, who="owner", kind="desktop", language="en") as one:
        page = one.open("/console/people/new")
        page.get_by_label("Name", exact=True).fill("Li Na")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("checkbox", name="All stores").uncheck()
        page.get_by_role("checkbox", name="小巷便利店").check()
        page.get_by_role("button", name="Add a person").click()
        page.wait_for_url("**/console/people")
        row = page.get_by_role("row", name="Li Na")
        expect(row).to_contain_text("小巷便利店")
        one.shot("people")

        page = one.open("/console/tokens/new")
        page.get_by_label("Name", exact=True).fill("till")
        page.get_by_role("button", name="Make a token").click()
        expect(page.get_by_label("Token", exact=True)).to_have_value(re.compile(r"^dk_.{40,}$"))
        one.shot("token-made")
        page = one.open("/console/tokens")
        page.get_by_role("row", name="till").get_by_role("button", name="Revoke").click()
        one.shot("token-ask")
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("row", name="till")).to_contain_text("Revoked")

        page = one.open("/console/settings/shop")
        page.get_by_label("Minutes a hold lasts").fill("0")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".wrong")).to_be_visible()
        one.shot("setting-wrong")
        one.complaints.clear()  # the browser's own note of the refused request
        page.get_by_label("Minutes a hold lasts").fill("20")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("Saved")

        page = one.open("/console/more")
        page.evaluate(
            "document.addEventListener('dianku:signing-out', () => { window.wiped = 1; })"
        )
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/console/sign-in")
        page.goto(f"{served.server.url}/console/more")
        assert "/console/sign-in" in page.url
    kept = served.server.call("GET", "/settings/shop", token=served.token)
    assert kept["hold_minutes"] == 20
    lines = served.server.call("GET", "/audit?action=settings.change", token=served.token)
    assert lines["items"][0]["after"] == {"hold_minutes": 20}, "only what was changed is sent"


def test_staff_sign_in_with_a_pin_on_a_phone_they_share(browser: Browser, served: Served) -> None:
    call, token = served.server.call, served.token
    made = call("POST", "/users", token=token, body={"name": "赵小云", "role": "clerk"})
    with visit(browser, served.server, who="owner") as one:
        page = one.open(f"/console/people/{made['id']}")
        page.get_by_label("数字密码").fill("739164")
        one.shot("person-pin")
        page.get_by_role("button", name="设定").click()
        page.wait_for_url("**/console/people")
        page = one.open("/console/devices")
        one.shot("devices-none")
        page.get_by_label("设备名称").fill("柜台手机")
        page.get_by_role("button", name="共用这台设备").click()
        expect(page.get_by_role("row", name="柜台手机")).to_be_visible()
        one.shot("devices")
        page = one.open("/console/more")
        page.get_by_role("button", name="退出登录").click()
        page.wait_for_url("**/console/sign-in")
        one.shot("door-pin")
        page.get_by_text("赵小云").click()
        page.get_by_label("数字密码").fill("739164")
        page.get_by_role("button", name="登录").first.click()
        page.wait_for_url("**/console/")
        page = one.open("/console/more")
        expect(page.get_by_text("赵小云")).to_be_visible()


def test_shop_without_https_says_how_to_begin(served: Served) -> None:
    walk = urllib.request.urlopen(f"{served.server.url}/console/trust", timeout=30)
    assert "还没有用 HTTPS" in walk.read().decode()
    assert "connect-src 'self';" in walk.headers["Content-Security-Policy"]
