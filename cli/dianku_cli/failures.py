"""What a command says when it cannot do what was asked, and with which exit status.

0: done. 1: refused or failed; the reason is on standard error, in the person's language, worded
from the message catalogue. 2: wrong usage, which click finds. Anything else that reaches the top
is a mistake of ours and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click

from dianku_cli.settings import Settings, SettingsError
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.api import Problem

SHOWN_ERRORS = 50
"""Wrong fields or cells printed in full; the rest are counted."""


class Failed(click.ClickException):
    """A reason, worded; ends the command with status 1."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the reason on standard error."""
        click.echo(self.message, file=file, err=file is None)


@contextmanager
def worded(settings: Settings) -> Iterator[None]:
    """Turn refusals and failures of the world inside the block into `Failed`."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except SettingsError as error:
        raise Failed(f"{error.source}: {error.reason}") from error
    except BrokenPipeError:
        raise  # whoever reads our output (`| head`) has had enough: click ends without a word
    except OSError as error:
        raise Failed(_os_reason(error, settings.language)) from error
    except Exception as error:
        reason = _reason(error, settings.language)
        if reason is None:
            raise
        raise Failed(reason) from error


def _reason(error: Exception, language: str) -> str | None:
    """What to say of an error raised on purpose; None for a mistake of ours."""
    from dianku.api import DiankuError, Refused

    if isinstance(error, Refused):
        return refusal_text(error.problem, language)
    from dianku.operations import WordedError, database_trouble

    told = error if isinstance(error, WordedError) else database_trouble(error)
    if told is not None:
        return told.worded(language)
    return str(error) if isinstance(error, DiankuError) else None


def refusal_text(problem: Problem, language: str) -> str:
    """A `Problem` as lines: what was refused, then every wrong field."""
    from dianku.operations import Messages

    messages = Messages()
    first = problem_text(problem.code, problem.params, language)
    fields = [
        f"  {each.pointer}: {messages.field(each.code, language, each.params)}"
        for each in problem.errors
    ]
    return "\n".join([first, *listed(fields, language)])


def problem_text(code: str, params: Mapping[str, Any], language: str) -> str:
    """A refusal's code and figures in words."""
    from dianku.operations import Messages

    return Messages().problem(code, language, params)


def listed(lines: list[str], language: str, *, total: int | None = None) -> list[str]:
    """The first of many lines, and how many more of `total` there are."""
    rest = (len(lines) if total is None else total) - SHOWN_ERRORS
    if rest <= 0:
        return lines
    return [*lines[:SHOWN_ERRORS], say("and_more", language, count=rest)]


def _os_reason(error: OSError, language: str) -> str:
    if error.filename is None:
        return str(error)
    return say("os_error", language, name=error.filename, reason=error.strerror)
