"""The documents name every command and option, and none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dianku_cli.main import COMMANDS, dianku

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.compile(r"```sh\n(.*?)```|`([^`]+)`", re.DOTALL)
INSTALLER = (ROOT / "cli/dianku_cli/assembly/files/install.sh").read_text(encoding="utf-8")
FOREIGN = {"--upgrade", "--help", "--user", "--now"}
FOREIGN |= set(re.findall(r"^ {8}(--[a-z-]+)\)", INSTALLER, flags=re.MULTILINE))
"""Options of pip, systemctl and install.sh, and the one click gives every command."""


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from _commands(f"{path} {name}", each)
    else:
        yield path, command


LEAVES = {
    path: command
    for name, lazy in COMMANDS.items()
    for path, command in _commands(name, lazy.load())
}


def _options(command: click.Command) -> set[str]:
    options = (each for each in command.params if isinstance(each, click.Option))
    return {name for option in options for name in option.opts if name.startswith("--")}


def _code(text: str) -> str:
    return "\n".join(block or words for block, words in CODE.findall(text))


@pytest.mark.parametrize("path", LEAVES)
def test_operations_names_every_command(path: str) -> None:
    assert f"dianku {path}" in OPERATIONS


@pytest.mark.parametrize("path", ["", *LEAVES])
def test_operations_names_every_option(path: str) -> None:
    named = set(re.findall(r"--[a-z][a-z-]*", OPERATIONS))
    assert _options(LEAVES[path] if path else dianku) <= named


@pytest.mark.parametrize("text", [OPERATIONS, README], ids=["operations", "readme"])
def test_documents_name_no_option_that_is_not_there(text: str) -> None:
    there = set().union(*(_options(each) for each in LEAVES.values()), _options(dianku))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", _code(text)))
    assert named - FOREIGN <= there


@pytest.mark.parametrize("text", [OPERATIONS, README], ids=["operations", "readme"])
def test_documents_name_no_command_that_is_not_there(text: str) -> None:
    groups = {path.rpartition(" ")[0] for path in LEAVES} - {""}
    called = re.findall(
        r"(?m)(?:^|[ (/])dianku((?: --(?:data|database) \S+)*(?: [a-z]+)+)", _code(text)
    )
    for words in called:
        names = re.sub(r"--\w+ \S+", "", words).split()
        path = " ".join(names[:2]) if names[0] in groups else names[0]
        assert path in LEAVES, words
