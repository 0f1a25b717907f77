"""What click itself says, in Chinese: that a command was wrongly used, and the words of its help.

Click words these in English alone. A message nobody has put into Chinese stays as it is: better
English than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO, Any

import click

_MESSAGES = (
    (r"No such command '(?P<name>.*)'\.(?P<rest>.*)", "没有命令“{name}”。{rest}"),
    (r"No such option:? '?(?P<name>[^'. ]*)'?\.?(?P<rest>.*)", "没有选项 {name}。{rest}"),
    (r"Got unexpected extra arguments? \((?P<name>.*)\)", "多出了参数：{name}"),
    (r"Missing command\.", "缺少命令。"),
    (
        r"Missing (?:argument|option|parameter)(?: (?P<name>'.*?'))?\.?(?P<rest>.*)",
        "缺少参数{name}。{rest}",
    ),
    (r"Option '(?P<name>.*)' requires an argument\.", "选项 {name} 后面要有值。"),
    (r"Option '(?P<name>.*)' does not take a value\.", "选项 {name} 后面不能有值。"),
    (r"Invalid value for (?P<name>'.*?'): (?P<rest>.*)", "{name} 的值不对：{rest}"),
    (r"Invalid value: (?P<rest>.*)", "值不对：{rest}"),
)
_VALUES = (
    (r"'?(?P<value>.*?)'? is not in the range (?P<range>.*)\.", "{value} 不在范围 {range} 内。"),
    (r"(?P<value>'.*?') is not one of (?P<choices>.*)\.", "{value} 只能是 {choices} 之一。"),
    (r"(?P<value>'.*?') is not a valid (?:integer|float)( range)?\.", "{value} 不是数字。"),
    (r"(?:File|Directory|Path) (?P<value>'.*?') does not exist\.", "{value} 不存在。"),
    (r"(?:File|Path) (?P<value>'.*?') is a directory\.", "{value} 是文件夹。"),
    (r"Directory (?P<value>'.*?') is a file\.", "{value} 是文件，不是文件夹。"),
    (r".*? (?P<value>'.*?') is not readable\.", "{value} 无法读取。"),
    (r"\s*Choose from:(?P<choices>.*)", "可选：{choices}"),
    (r"\s*Did you mean (?P<choices>.*?)\?", "是不是 {choices}？"),
)
_HEADINGS = {"Options": "选项", "Commands": "命令"}


class Misused(click.UsageError):
    """A wrong usage, told in Chinese; ends the command with status 2, as in English."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the usage, where help is to be had, and what was wrong."""
        lines = []
        if self.ctx is not None:
            lines = [
                self.ctx.get_usage().replace("Usage:", "用法：", 1),
                f"说明见：{self.ctx.command_path} --help",
                "",
            ]
        lines.append(f"错误：{self.message}")
        click.echo("\n".join(lines), file=file, err=file is None)


def in_chinese(error: click.UsageError) -> click.UsageError:
    """The same error in Chinese; one that shows the help itself is left as it is."""
    if isinstance(error, (Misused, click.exceptions.NoArgsIsHelpError)):
        return error
    return Misused(_worded(error.format_message()), error.ctx)


def _worded(message: str) -> str:
    for pattern, chinese in _MESSAGES:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            parts = {name: text or "" for name, text in found.groupdict().items()}
            if "rest" in parts:
                parts["rest"] = _value(parts["rest"])
            return chinese.format(**parts)
    return message


def _value(message: str) -> str:
    for pattern, chinese in _VALUES:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            return chinese.format(**found.groupdict())
    return message


class ChineseFormatter(click.HelpFormatter):
    """The headings and notes of a help page in Chinese."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how a command is called."""
        super().write_usage(prog, args, prefix or "用法：")

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        super().write_heading(_HEADINGS.get(heading, heading))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write commands or options beside what they do."""
        super().write_dl(list(_noted(rows)), col_max, col_spacing)


def _noted(rows: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    for first, second in rows:
        text = second.replace("Show this message and exit.", "显示这些说明。")
        text = text.replace("[default: ", "[默认：").replace("; required]", "；必填]")
        yield first, text.replace("[required]", "[必填]")


class ChineseContext(click.Context):
    """The context of a command whose help is in Chinese."""

    formatter_class = ChineseFormatter
