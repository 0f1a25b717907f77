"""HTTPS for phones: a server over HTTPS, the page that walks a phone through trusting it, its code.

Chromium cannot be made to trust an authority here, so it is told to accept this server's key; that
the authority is what makes it trusted is shown beside, with Python's own client.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import PASSWORD, Served, axe_serious, beside, people, session, visit
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser
from shop_server import Server, ShopFolder

from dianku.trust.keeping import AUTHORITY_FILE, FOLDER, SERVER_FILE
from dianku_console.qr import qr_of


@pytest.fixture(scope="module")
def secure(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A shop served over HTTPS; this process trusts it as a phone would."""
    folder = tmp_path_factory.mktemp("secure") / "shop"
    shutil.copytree(filled, folder)
    shop = ShopFolder(folder)
    token = shop.token("tests")
    words = ("--https", "--host", "127.0.0.1", "--plain-port", "0")
    with Server(shop, words=words) as server, pytest.MonkeyPatch.context() as patch:
        given = urllib.request.urlopen(f"{plain(server)}/api/v1/trust/authority.crt", timeout=30)
        trusted = folder.parent / "trusted.pem"
        trusted.write_text(ssl.DER_cert_to_PEM_cert(given.read()))
        patch.setenv("SSL_CERT_FILE", str(trusted))
        people(server, token, manager="manager", clerk="clerk")
        yield Served(shop, server, token)


def plain(server: Server) -> str:
    """The address beside, without HTTPS."""
    assert server.url.startswith("https:")
    return server.plain_url


def accepting(served: Served) -> str:
    """What makes Chromium take this server's key for trusted."""
    text = (served.shop.folder / FOLDER / SERVER_FILE).read_bytes()
    key = x509.load_pem_x509_certificate(text).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    sign = base64.b64encode(digest.digest()).decode()
    return f"--ignore-certificate-errors-spki-list={sign}"


def test_shop_over_https_answers_who_trusts_its_authority_and_nobody_else(secure: Served) -> None:
    server = secure.server
    host, port = server.address
    with pytest.raises(ssl.SSLCertVerificationError):
        distrusting = http.client.HTTPSConnection(
            host, port, timeout=30, context=ssl.create_default_context(cadata=other_authority())
        )
        distrusting.request("GET", "/healthz")
    request = urllib.request.Request(
        f"{server.url}/api/v1/sessions",
        data=json.dumps({"name": "clerk", "password": PASSWORD}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Set-Cookie"].endswith("; Secure")
        assert "Strict-Transport-Security" not in answer.headers  # would shut the plain door
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{plain(server)}/api/v1/setup", timeout=30)
    assert "PRIVATE KEY" in (secure.shop.folder / FOLDER / AUTHORITY_FILE).read_text()


def other_authority() -> str:
    """An authority of somebody else's."""
    from datetime import UTC, datetime

    from dianku.trust.authority import Authority

    made = Authority.make(own="other", at=datetime.now(UTC))
    return made.certificate.public_bytes(Encoding.PEM).decode()


def test_phone_is_walked_through_and_told_when_it_trusts_the_shop(
    secure: Served, browser: Browser
) -> None:
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0"
    with visit(browser, secure.server, kind="phone", user_agent=agent) as one:
        page = one.page
        page.goto(plain(secure.server) + "/")
        page.wait_for_selector("[data-state=no]:not([hidden])")
        assert page.locator(".chip[aria-current]").inner_text() == "苹果手机"
        assert page.get_by_text("在浏览器打开").is_visible()
        assert page.locator("ol.steps > li").count() == 4
        # An iPhone installs what it is shown; what it is sent goes among its files.
        link = page.get_by_role("link", name="下载证书")
        assert link.get_attribute("download") is None
        assert link.get_attribute("href") == "/api/v1/trust/authority.crt"
        assert axe_serious(page) == []
        one.shot("trust-phone-zh")
        page.get_by_role("link", name="安卓手机").click()
        page.wait_for_selector("[data-state=no]:not([hidden])")
        with page.expect_download() as got:
            page.get_by_role("link", name="下载证书").click()
        assert got.value.suggested_filename.endswith(".crt")
        assert got.value.suggested_filename in page.locator(".named").inner_text()
        # That this browser does not trust the shop is what it is to say.
        refused = [said for said in one.complaints if "ERR_CERT_AUTHORITY_INVALID" in said]
        assert len(refused) >= 1
        one.complaints[:] = [said for said in one.complaints if said not in refused]
    with (
        beside(browser.browser_type, accepting(secure)) as trusting,
        visit(trusting, secure.server, kind="phone") as one,
    ):
        page = one.page
        page.goto(plain(secure.server) + "/console/trust?device=android")
        page.wait_for_selector("[data-state=yes]:not([hidden])")
        assert not page.locator("ol.steps").is_visible()
        page.get_by_role("link", name="打开店铺").click()
        page.wait_for_url(secure.server.url + "/console/sign-in?**")
        # What a phone gains: a camera, and pages that open without a network.
        assert page.evaluate("isSecureContext && 'mediaDevices' in navigator")
        assert page.evaluate("navigator.serviceWorker.ready.then((found) => !!found.active)")


def test_code_a_manager_shows_leads_to_the_plain_door(secure: Served) -> None:
    cookie = f"dianku_session={session(secure.server, 'manager')}; dianku_language=en"
    asked = urllib.request.Request(
        f"{secure.server.url}/console/phones", headers={"Cookie": cookie}
    )
    text = urllib.request.urlopen(asked, timeout=30).read().decode()
    assert qr_of(f"{plain(secure.server)}/").path in text


@pytest.mark.long("browser-full")
def test_manager_shows_the_code_that_leads_a_phone_there(secure: Served, browser: Browser) -> None:
    with (
        beside(browser.browser_type, accepting(secure)) as trusting,
        visit(trusting, secure.server, who="manager", kind="desktop", language="en") as one,
    ):
        page = one.open("/console/phones")
        assert page.get_by_role("img", name="QR code for the phone").is_visible()
        assert page.get_by_text(f"{plain(secure.server)}/", exact=True).is_visible()
        # It answers on this machine alone, and says so.
        assert page.get_by_text("answers on this computer only").is_visible()
        one.shot("phones-desktop-en")
        page.goto(f"{secure.server.url}/console/more")
        page.get_by_role("link", name="Connect phones").click()
        page.wait_for_url("**/console/phones")
