"""Programs run on a leash: they end with this process, after their time, or when told to.

What they print is kept, so that a failure can be told in their own words.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import IO, NamedTuple, Self

from dianku_cli.environment import guard

LINES_SHOWN = 12
ENDED_S = 20
"""How long a program that is ended may take to be gone."""


class ProgramFailed(Exception):
    """A program that ended with an error, in its last words."""


class ProgramHung(Exception):
    """A program that was not done in its time; what it said last."""


class Account(NamedTuple):
    """Whose rights a program runs with, by number."""

    user: int
    group: int


class Program:
    """One program while it runs, ended when the block is left.

    `environ` are its variables, all of them; `account` None runs it with the rights of this
    process.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        folder: Path,
        environ: Mapping[str, str] | None = None,
        account: Account | None = None,
    ) -> None:
        self._words = [sys.executable, "-I", guard.__file__, *words]
        self._folder = folder
        self._environ = plain_environ() if environ is None else environ
        self._account = account
        self._lines: SimpleQueue[str | None] = SimpleQueue()

    def __enter__(self) -> Self:
        self._errors: IO[bytes] = tempfile.TemporaryFile()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            with _uninterrupted():
                self._start()
        except BaseException:
            self._end()
            raise
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _start(self) -> None:
        read, self._leash = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs and pip
                self._words,
                cwd=self._folder,
                env=dict(self._environ),
                stdin=read,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                user=self._account and self._account.user,
                group=self._account and self._account.group,
                extra_groups=self._account and (),
            )
        finally:
            os.close(read)

    def _end(self) -> None:
        """Let the leash go and see that the program is gone."""
        os.close(self._leash)
        if self._process is not None:
            self._process.wait(ENDED_S)
        self._errors.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def line(self, patience_s: float) -> str | None:
        """Its next line, without the end; None when it has ended. Raises `ProgramHung`."""
        try:
            return self._lines.get(timeout=max(patience_s, 0))
        except Empty:
            raise ProgramHung(self.last_words()) from None

    def ended(self) -> int:
        """Its status, once there are no more lines."""
        assert self._process is not None
        return self._process.wait(ENDED_S)

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").splitlines()
        return "\n  ".join([line for line in lines if line.strip()][-LINES_SHOWN:])

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                self._lines.put(line.decode(errors="replace").rstrip("\n"))
        self._lines.put(None)


def run(
    words: Sequence[str],
    *,
    folder: Path,
    patience_s: float,
    environ: Mapping[str, str] | None = None,
    account: Account | None = None,
) -> str:
    """Run a program to its end; what it printed.

    Raises:
        ProgramFailed: it ended with an error.
        ProgramHung: it took longer than `patience_s` to print its next line.
    """
    printed: list[str] = []
    with Program(words, folder=folder, environ=environ, account=account) as program:
        while (line := program.line(patience_s)) is not None:
            printed.append(line)
        if code := program.ended():
            said = [part for part in (*printed[-LINES_SHOWN:], program.last_words()) if part]
            raise ProgramFailed("\n  ".join(said) or f"{words[0]}: {code}")
    return "\n".join(printed)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hear of Ctrl-C and SIGTERM after the block: a program that is begun is known, too."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def plain_environ() -> dict[str, str]:
    """The variables of this process without those that lead Python or pip elsewhere."""
    led = ("PYTHON", "VIRTUAL_ENV", "__PYVENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(led)}
