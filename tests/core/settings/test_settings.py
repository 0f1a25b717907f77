from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from dianku.context import Actor, Context
from dianku.errors import Refused
from dianku.hooks.records import Title
from dianku.settings.schema import Field, Section
from dianku.settings.store import MASK, SecretFilter, Settings
from dianku.storage.engine import Database
from dianku.testing.digest import database_digest

RIGHTS = frozenset({"settings.view", "settings.edit"})
ADMIN = Context(Actor("admin", "owner", RIGHTS))
CLERK = Context(Actor("clerk", "clerk", frozenset()))
T = Title("题", "title")
MAIL = Section.of(
    "mail",
    T,
    Field(name="port", type="integer", title=T, default=25, minimum=1, maximum=65_535),
    Field(name="mode", type="choice", title=T, default="plain", choices=("plain", "tls")),
    Field(name="names", type="texts", title=T, default=[]),
    Field(name="line", type="decimal", title=T, minimum=0),
    Field(name="on", type="boolean", title=T, default=False),
    Field(name="password", type="text", title=T, secret=True),
)


@pytest.fixture
def settings(database: Database) -> Settings:
    found = Settings(database)
    found.declare(MAIL)
    return found


def refused(settings: Settings, changes: Mapping[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        settings.patch_section("mail", changes, ctx=ADMIN)
    assert caught.value.problem.code == "invalid"
    return [(error.pointer, error.code) for error in caught.value.problem.errors]


def test_settings_of_the_shop_are_changed_by_nobody_limited_to_some_stores(
    database: Database, settings: Settings
) -> None:
    before = database_digest(database)
    limited = Context(Actor("ann", "owner", RIGHTS, frozenset({"S1"})))

    with pytest.raises(Refused) as caught:
        settings.patch_section("mail", {"port": 1}, ctx=limited)

    assert caught.value.problem.code == "forbidden"
    assert database_digest(database) == before


def test_log_line_whose_figures_do_not_fit_is_written_and_stops_nobody(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.patch_section("mail", {"password": "hunter2"}, ctx=ADMIN)
    log = logging.getLogger("dianku.test")
    caplog.handler.addFilter(SecretFilter(settings))

    log.warning("sent %d", "hunter2")

    assert caplog.messages == [f"'sent %d' ('{MASK}',)"]


def test_settings_unset_have_their_defaults(settings: Settings) -> None:
    shop = settings.get_section("shop", ctx=ADMIN)

    assert shop["backfill_days"] == 35
    assert shop["overstock_days"] == 30
    assert shop["low_stock"] is None
    assert settings.get("http", "rate_limit") == 0
    assert settings.get("net", "allow_private") is False


def test_settings_patch_changes_what_is_named_and_null_clears(settings: Settings) -> None:
    settings.patch_section("mail", {"port": 465, "line": "2.5"}, ctx=ADMIN)
    after = settings.patch_section("mail", {"line": None}, ctx=ADMIN)

    assert after["port"] == 465
    assert after["line"] is None
    assert after["mode"] == "plain"


def test_settings_patch_is_seen_at_once_by_another_process(
    database: Database, settings: Settings
) -> None:
    other = Settings(database)
    other.declare(MAIL)
    assert other.get("mail", "port") == 25

    settings.patch_section("mail", {"port": 465}, ctx=ADMIN)

    assert other.get("mail", "port") == 465
    assert settings.last.get("mail", "port") == 465


def test_settings_watched_are_told_from_memory_until_the_watcher_looks(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Settings(database)
    other.declare(MAIL)
    other.view()
    monkeypatch.setattr("dianku.settings.store.FRESH_SECONDS", -1.0)  # as if it were over
    other.watched = True
    settings.patch_section("mail", {"port": 465}, ctx=ADMIN)
    assert other.last.get("mail", "port") == 25

    other.refresh()
    assert other.last.get("mail", "port") == 465

    settings.patch_section("mail", {"port": 587}, ctx=ADMIN)
    other.watched = False
    assert other.last.get("mail", "port") == 587


def test_settings_of_networks_are_addresses(settings: Settings) -> None:
    for proxies in (["10.0.0.0/8", "shop"], ["10.0.0.1/33"], ["127.0.0.1", ""]):
        with pytest.raises(Refused) as caught:
            settings.patch_section("http", {"trusted_proxies": proxies}, ctx=ADMIN)
        assert [e.code for e in caught.value.problem.errors] == ["not_a_network"]
    settings.patch_section("http", {"trusted_proxies": ["10.0.0.5/8", "fd00::/8"]}, ctx=ADMIN)


def test_settings_patch_with_wrong_values_names_every_field_and_changes_nothing(
    database: Database, settings: Settings
) -> None:
    before = database_digest(database)

    wrong = refused(
        settings,
        {
            "port": 0,
            "mode": "shout",
            "names": ["a", 1],
            "line": "1e3",
            "on": 1,
            "password": 5,
            "colour": "red",
        },
    )

    assert wrong == [
        ("/port", "too_small"),
        ("/mode", "not_a_choice"),
        ("/names", "wrong_type"),
        ("/line", "wrong_type"),
        ("/on", "wrong_type"),
        ("/password", "wrong_type"),
        ("/colour", "unknown_field"),
    ]
    assert database_digest(database) == before


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("port", True, "wrong_type"),
        ("port", 1.0, "wrong_type"),
        ("port", 65_536, "too_large"),
        ("port", None, "required"),
        ("line", "NaN", "wrong_type"),
        ("line", "-0.01", "too_small"),
        ("line", 2.5, "wrong_type"),
        ("password", "x" * 2001, "too_long"),
        ("password", "a\x00b", "bad_characters"),
        ("names", ["x"] * 201, "too_many"),
    ],
)
@pytest.mark.sqlite_only
def test_settings_value_that_breaks_its_rule_is_refused(
    settings: Settings, field: str, value: Any, code: str
) -> None:
    assert refused(settings, {field: value}) == [(f"/{field}", code)]


def test_settings_secret_goes_in_and_never_comes_out(settings: Settings) -> None:
    assert settings.get_section("mail", ctx=ADMIN)["password"] is None

    answer = settings.patch_section("mail", {"password": "hunter2"}, ctx=ADMIN)

    assert answer["password"] == MASK
    assert settings.get("mail", "password") == "hunter2"
    settings.patch_section("mail", {"password": MASK, "port": 26}, ctx=ADMIN)
    assert settings.get("mail", "password") == "hunter2"
    settings.patch_section("mail", {"password": None}, ctx=ADMIN)
    assert settings.get("mail", "password") is None


def test_settings_secret_is_kept_out_of_logs_and_of_the_trail(database: Database) -> None:
    trail: list[Any] = []
    settings = Settings(database, audit=lambda _c, _ctx, *line: trail.append(line))
    settings.declare(MAIL)
    settings.patch_section("mail", {"password": "hunter2", "port": 1}, ctx=ADMIN)
    record = logging.LogRecord("x", logging.INFO, "", 1, "sent %s to %s", ("hunter2", "a"), None)

    assert SecretFilter(settings).filter(record)

    assert record.getMessage() == f"sent {MASK} to a"
    settings.patch_section("mail", {"password": None, "port": 2}, ctx=ADMIN)
    assert trail == [
        (
            "settings.change",
            "mail",
            {"password": None, "port": 25},
            {"password": MASK, "port": 1},
        ),
        (
            "settings.change",
            "mail",
            {"password": MASK, "port": 1},
            {"password": None, "port": 2},
        ),
    ]


@pytest.mark.sqlite_only
def test_settings_without_permission_or_section_are_refused(settings: Settings) -> None:
    for section, ctx, code in [("mail", CLERK, "forbidden"), ("gone", ADMIN, "not_found")]:
        with pytest.raises(Refused) as read:
            settings.get_section(section, ctx=ctx)
        with pytest.raises(Refused) as written:
            settings.patch_section(section, {}, ctx=ctx)
        assert (read.value.problem.code, written.value.problem.code) == (code, code)


@pytest.mark.sqlite_only
def test_settings_preferred_by_an_edition_go_before_defaults_and_behind_the_shops(
    settings: Settings,
) -> None:
    settings.prefer({"mail": {"port": 587}, "absent": {"x": 1}})
    assert settings.get("mail", "port") == 587

    settings.patch_section("mail", {"port": 2525}, ctx=ADMIN)
    assert settings.get("mail", "port") == 2525

    with pytest.raises(ValueError, match=r"mail\.port: too_small; mail\.gone: unknown_field"):
        settings.prefer({"mail": {"port": 0, "gone": 1}})


@pytest.mark.sqlite_only
def test_settings_section_declared_twice_is_a_mistake(settings: Settings) -> None:
    with pytest.raises(ValueError, match="'mail' is declared already"):
        settings.declare(MAIL)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "S1"])
def test_settings_with_a_time_zone_that_is_none_are_refused(settings: Settings, zone: str) -> None:
    with pytest.raises(Refused) as caught:
        settings.patch_section("shop", {"timezone": zone}, ctx=ADMIN)

    (error,) = caught.value.problem.errors
    assert (error.pointer, error.code, error.params) == (
        "/timezone",
        "unknown_timezone",
        {"name": zone},
    )
    settings.patch_section("shop", {"timezone": "Europe/Berlin"}, ctx=ADMIN)
    assert settings.get("shop", "timezone") == "Europe/Berlin"


@pytest.mark.parametrize("number", ["1_000", " 3 ", "٣", "3.", ".5", "+3", "", "Infinity", "1e3"])
def test_settings_decimals_are_plain_digits(settings: Settings, number: str) -> None:
    assert refused(settings, {"line": number}) == [("/line", "wrong_type")]
