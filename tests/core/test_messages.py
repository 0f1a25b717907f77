from __future__ import annotations

import re
from pathlib import Path

import pytest

import dianku
from dianku.errors import STATUS, ConfigurationError
from dianku.messages import LANGUAGES, Messages, negotiate, places

SOURCES = sorted(Path(dianku.__file__).parent.rglob("*.py"))
_FIELD = re.compile(r"FieldError\(\s*[^,()]+(?:\([^()]*\))?,\s*\"([a-z_]+)\"")
_NUMBER = re.compile(r"NumberRefused\(\s*\"([a-z_]+)\"")


@pytest.fixture(scope="module")
def messages() -> Messages:
    return Messages()


def test_both_languages_say_the_same_things_with_the_same_figures(messages: Messages) -> None:
    first, second = (set(messages.keys(language)) for language in LANGUAGES)
    assert first == second
    for key in first:
        found = {places(messages.template(key, language) or "") for language in LANGUAGES}
        assert len(found) == 1, key


def test_every_problem_has_words(messages: Messages) -> None:
    keys = set(messages.keys("en"))
    assert {f"problem.{code}" for code in STATUS} <= keys
    assert {f"title.{status}" for status in STATUS.values()} <= keys


def test_every_field_code_in_the_code_has_words(messages: Messages) -> None:
    used = set()
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        used |= set(_FIELD.findall(text)) | set(_NUMBER.findall(text))
    assert used
    missing = {code for code in used if f"field.{code}" not in set(messages.keys("en"))}
    assert missing == set()


def test_every_error_for_whoever_runs_the_shop_has_words(messages: Messages) -> None:
    raised = re.compile(
        r"\b(?:ConfigurationError|BackupRefused|CopyRefused|MigrationFailed)\(\s*\"(\w+)\""
    )
    used = {code for path in SOURCES for code in raised.findall(path.read_text(encoding="utf-8"))}
    told = {key.removeprefix("error.") for key in messages.keys("en") if key.startswith("error.")}
    assert used == told


def test_error_is_worded_with_the_errors_it_stands_on() -> None:
    inner = ConfigurationError("needed_when_strict")
    one = ConfigurationError("plugin_switched_off", plugin="bad", need=inner)
    error = ConfigurationError("plugins_not_running", told=(one, one))
    assert str(error).count("plugin 'bad' (DIANKU_STRICT is on) is switched off") == 2
    assert "插件 'bad'（DIANKU_STRICT 已打开）已停用" in error.worded("zh-CN")


def test_place_without_a_figure_is_left_out(messages: Messages) -> None:
    text = messages.text("problem.forbidden", "en", permission="stock.view")
    assert text == "You lack the permission stock.view"


def test_plugin_adds_words_and_changes_none_of_the_kernels(
    messages: Messages, tmp_path: Path
) -> None:
    source = '[problem]\nnot_found = "stolen"\n[field]\ntoo_pink = "too pink"\n'
    (tmp_path / "en.toml").write_text(source)
    messages.add(tmp_path)
    assert messages.text("field.too_pink", "en") == "too pink"
    assert messages.text("problem.not_found", "en", what="x").startswith("There is no")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh-CN"),
        ("en", "en"),
        ("en-US,en;q=0.9", "en"),
        ("de,en;q=0.5,zh;q=0.4", "en"),
        ("zh-TW,en;q=0.9", "zh-CN"),
        ("en;q=0,*", "zh-CN"),
        ("garbage;q=x", "zh-CN"),
    ],
)
def test_language_is_the_first_of_ours_that_is_liked(header: str | None, language: str) -> None:
    assert negotiate(header) == language


def test_every_problem_is_listed_in_the_guide() -> None:
    guide = Path(__file__).parents[2] / "docs" / "http.md"
    text = guide.read_text(encoding="utf-8")
    assert {code for code in STATUS if not re.search(rf"\b{code}\b", text)} == set()
