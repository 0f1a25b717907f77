"""Help in Chinese: the same commands and options, with the texts of `chinese` put in.

Commands are copied, never changed, so one process may speak both languages. What has no Chinese
text keeps its English one; a test sees to it that nothing lacks it.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import click

from dianku_cli.chinese import COMMANDS, OPTIONS
from dianku_cli.usage import ChineseContext

C = TypeVar("C", bound=click.Command)


def translated(command: C, path: str) -> C:
    """A copy of a command with Chinese help; `path` is its name with its groups, `token create`."""
    found = copy.copy(command)
    found.context_class = ChineseContext
    if path in COMMANDS:
        found.help = "\n\n".join([COMMANDS[path], *_example(command)])
        found.short_help = summary(path)
    found.params = [_option(each, path) for each in command.params]
    if isinstance(found, click.Group):
        found.commands = {
            name: translated(each, f"{path} {name}".strip())
            for name, each in found.commands.items()
        }
    return found


def framed(command: C) -> C:
    """A copy of a plugin's command whose help pages are Chinese but for its own words."""
    found = copy.copy(command)
    found.context_class = ChineseContext
    if isinstance(found, click.Group):
        found.commands = {name: framed(each) for name, each in found.commands.items()}
    return found


def summary(path: str) -> str:
    """A command's line in listings."""
    return COMMANDS[path].partition("\n")[0]


def option_text(path: str, name: str) -> str | None:
    """The Chinese help of an option: of this command, or of every command that has it."""
    return OPTIONS.get(f"{path} {name}") or OPTIONS.get(name)


def _option(option: click.Parameter, path: str) -> click.Parameter:
    text = option_text(path, max(option.opts, key=len))
    if text is None or not isinstance(option, click.Option):
        return option
    found = copy.copy(option)
    found.help = text
    return found


def _example(command: click.Command) -> list[str]:
    """The last paragraph of the English help, the example, under a Chinese word."""
    _, marker, example = (command.help or "").rpartition("Example: ")
    return [f"例：{example}"] if marker else []
