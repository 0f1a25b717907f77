"""What `--help` says and imports, in both languages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dianku_cli.main import COMMANDS, dianku
from dianku_cli.translated import option_text, translated

HEAVY = ("sqlalchemy", "starlette", "alembic", "uvicorn", "dianku_reports", "pypinyin")


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Every command of the kernel with its path."""
    for name, lazy in COMMANDS.items():
        yield from _below(name, lazy.load())


def _below(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from _below(f"{path} {name}", each)


ALL = dict(every_command())


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DIANKU_DATA", str(tmp_path / "shop"))


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("path", ALL)
def test_help_of_every_command_shows_an_example(path: str, language: str) -> None:
    result = CliRunner().invoke(dianku, ["--language", language, *path.split(), "--help"])
    assert result.exit_code == 0, result.output
    sign = "Example: dianku" if language == "en" else "例：dianku"
    example = " ".join(result.output.split())
    assert sign in example or ("Example: echo" if language == "en" else "例：echo") in example


@pytest.mark.parametrize("path", ALL)
def test_help_in_chinese_leaves_no_text_out(path: str) -> None:
    chinese = translated(ALL[path], path)
    assert chinese.help != ALL[path].help
    for option in ALL[path].params:
        if isinstance(option, click.Option):
            assert option_text(path, max(option.opts, key=len)), option.opts


def test_help_lines_of_the_listing_are_the_commands_own() -> None:
    for lazy in COMMANDS.values():
        assert lazy.summary == lazy.load().get_short_help_str(limit=100)


@pytest.mark.parametrize(("language", "word"), [("zh-CN", "备份"), ("en", "Write the whole shop")])
def test_help_of_the_root_speaks_the_language_of_the_surroundings(
    language: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIANKU_LANGUAGE", language)
    result = CliRunner().invoke(dianku, ["--help"])
    assert result.exit_code == 0
    assert word in result.output
    assert all(f"  {name} " in result.output for name in COMMANDS)


@pytest.mark.parametrize("times", [1, 2])
def test_help_imports_nothing_heavy(times: int, tmp_path: Path) -> None:
    program = (
        "import json, sys\n"
        "from dianku_cli.main import main\n"
        "sys.argv = ['dianku', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    for _ in range(times):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert not loaded.intersection(HEAVY)


READ = """
import json, sys
from pathlib import Path
opened = []
def note(event, args):
    if event == "open" and isinstance(args[0], str):
        opened.append(args[0])
sys.addaudithook(note)
from dianku_cli.main import main
sys.argv = ["dianku", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code
declared = {"plugin.toml", "entry_points.txt", "METADATA"}
print(json.dumps([[p for p in opened if Path(p).name in declared], sorted(sys.modules)]))
"""


def test_help_with_a_warm_cache_reads_no_manifest_and_imports_no_plugin(tmp_path: Path) -> None:
    _plugin(tmp_path / "site", "weather", "Look at the sky")
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), *filter(None, sys.path)]),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "DIANKU_LANGUAGE": "en",
    }
    words = [sys.executable, "-c", READ]
    said = [
        subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    (cold, _), (warm, modules) = (json.loads(text.splitlines()[-1]) for text in said)
    assert any(path.endswith("dianku_weather/plugin.toml") for path in cold)
    assert warm == []
    assert "Look at the sky" in said[1]
    assert not [name for name in modules if name.startswith(("dianku_weather", "dianku.plugins"))]


def test_help_survives_a_broken_settings_file(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dianku.toml").write_text("language = [")
    assert CliRunner(env={"LANG": "", "LC_ALL": ""}).invoke(dianku, ["--help"]).exit_code == 0


def _plugin(folder: Path, name: str, title: str) -> None:
    """An installed distribution with a plugin that ends the process that imports it."""
    (folder / f"dianku_{name}").mkdir(parents=True)
    (folder / f"dianku_{name}" / "__init__.py").write_text("raise SystemExit('imported')\n")
    (folder / f"dianku_{name}" / "plugin.toml").write_text(
        f'name = "{name}"\ntitle = {{ zh = "{title}", en = "{title}" }}\ncore = ">=0.1,<0.2"\n'
        f'[commands.{name}]\ntitle = {{ zh = "{title}", en = "{title}" }}\n',
        encoding="utf-8",
    )
    metadata = folder / f"dianku_{name}-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Name: dianku-{name}\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[dianku.plugins]\n{name} = dianku_{name}\n")


def _help(tmp_path: Path, *words: str) -> str:
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), *filter(None, sys.path)]),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "DIANKU_LANGUAGE": "en",
    }
    done = subprocess.run(
        [sys.executable, "-m", "dianku_cli", *words, "--help"],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_help_names_the_groups_of_plugins_installed_since(tmp_path: Path) -> None:
    _plugin(tmp_path / "site", "weather", "Look at the sky")
    assert "Look at the sky" in _help(tmp_path)
    _plugin(tmp_path / "site", "moon", "Look at the moon")
    shown = _help(tmp_path)
    assert "Look at the moon" in shown
    assert "Look at the sky" in shown


def test_help_after_a_manifest_changed_shows_what_it_says_now(tmp_path: Path) -> None:
    _plugin(tmp_path / "site", "weather", "Look at the sky")
    assert "Look at the sky" in _help(tmp_path)
    manifest = tmp_path / "site" / "dianku_weather" / "plugin.toml"
    manifest.write_text(manifest.read_text().replace("sky", "clouds"))
    assert "Look at the clouds" in _help(tmp_path)


def test_help_with_a_damaged_cache_makes_it_anew(tmp_path: Path) -> None:
    _plugin(tmp_path / "site", "weather", "Look at the sky")
    _help(tmp_path)
    [cache] = (tmp_path / "cache" / "dianku").iterdir()
    cache.write_text("{")
    assert "Look at the sky" in _help(tmp_path)
    assert json.loads(cache.read_text())["groups"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bogus"], "没有命令“bogus”。"),
        (["--bogus"], "没有选项 --bogus。"),
        (["stock", "--bogus"], "没有选项 --bogus。"),
        (["stock", "a", "b"], "多出了参数：a b"),
        (["import", "goods", "x"], "'goods' 只能是 'products', "),
        (["import", "products"], "缺少参数'FILE'。"),
        (["import", "products", "none.csv"], "'FILE' 的值不对：'none.csv' 不存在。"),
        (["import", "products", "--store"], "选项 --store 后面要有值。"),
        (["stock", "--json=yes"], "选项 --json 后面不能有值。"),
        (["serve", "--port", "99999"], "99999 不在范围 0<=x<=65535 内。"),
        (["serve", "--port", "x"], "'x' 不是数字。"),
    ],
)
def test_wrong_usage_is_told_in_the_persons_language(words: list[str], said: str) -> None:
    chinese = CliRunner().invoke(dianku, ["--language", "zh-CN", *words])
    assert (chinese.exit_code, chinese.stdout) == (2, "")
    assert said in chinese.stderr
    assert "Error" not in chinese.stderr
    assert "Usage" not in chinese.stderr
    english = CliRunner().invoke(dianku, ["--language", "en", *words])
    assert english.exit_code == 2
    assert "Error: " in english.stderr


def test_help_in_chinese_has_no_english_of_clicks() -> None:
    for words in ([], ["stock"], ["ledger"]):
        page = CliRunner().invoke(dianku, ["--language", "zh-CN", *words, "--help"]).output
        assert not [word for word in ("Usage", "Options", "Commands:", "Show this") if word in page]
