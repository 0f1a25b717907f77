"""Between the event loop and the poster's thread: whole batches, there and back, one call each.

The two share one interpreter, and a batch costs the poster the more, the fewer documents bear it.
So the loop calls the poster when it has read all that has come, not at the first document, and
the poster's answers are laid down in a deque, of which the loop is told when it is not told yet.
There is no timer: on a quiet line a document waits for one empty round of the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import frozen

from dianku.context import Context
from dianku.ledger.commands import Post

if TYPE_CHECKING:
    from dianku.catalog.snapshot import CatalogState
    from dianku.ledger.service import Ledger

QUIET_ROUNDS = 2
"""Rounds of the loop without a new document after which no more are waited for: in the first it
reads what has come, in the second the requests that were read are handed in."""
GATHERED_MAX = 64
"""Lines after which the poster is called though more keep coming: enough to keep it busy."""


@frozen
class _Handing:
    """A command about to be handed in."""

    command: Any
    key: str | None
    ctx: Context
    done: Callable[[Any], None]

    def over(self, ledger: Ledger, held: CatalogState | None) -> None:
        ledger.hand_in(self.command, key=self.key, ctx=self.ctx, done=self.done, held=held)


class Landing:
    """Where the outcomes for one event loop arrive."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._arrived: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._told = False
        self._gathered = 0
        self._lock = threading.Lock()
        self._cold: list[_Handing] = []
        self._looking = False

    def arrive(self, waiting: asyncio.Future[Any], outcome: Any) -> None:
        """Lay down an outcome, from any thread."""
        self._arrived.append((waiting, outcome))
        # Told before drained: an outcome laid down in between is found by the same drain, or
        # the flag is down again and the loop is told once more.
        if not self._told:
            self._told = True
            try:
                self._loop.call_soon_threadsafe(self._drain)
            except RuntimeError:  # the loop is closed, so nobody waits any more
                self._arrived.clear()

    def _drain(self) -> None:
        self._told = False
        while self._arrived:
            waiting, outcome = self._arrived.popleft()
            if waiting.done():
                continue
            if isinstance(outcome, BaseException):
                waiting.set_exception(outcome)
            else:
                waiting.set_result(outcome)

    async def posted(self, ledger: Ledger, command: Any, *, key: str | None, ctx: Context) -> Any:
        """Give a command to the poster and wait for its outcome.

        What the ledger has in memory is resolved here and now; where it would ask the database,
        or plugins have their say, a thread does it. Leaving early (the caller hung up) does not
        undo it: the command is posted all the same.
        """
        waiting: asyncio.Future[Any] = self._loop.create_future()
        handing = _Handing(command, key, ctx, partial(self.arrive, waiting))
        if ledger.check is not None:
            await self._loop.run_in_executor(self._threads, handing.over, ledger, None)
        elif (held := ledger.held(command)) is not None:
            handing.over(ledger, held)
            self._gather(ledger, lines=len(command.new.lines) if isinstance(command, Post) else 1)
        else:
            self._hand_in_later(handing, ledger)
        return await waiting

    def _hand_in_later(self, handing: _Handing, ledger: Ledger) -> None:
        with self._lock:
            self._cold.append(handing)
            begin, self._looking = not self._looking, True
        if begin:
            self._loop.run_in_executor(self._threads, self._hand_in_cold, ledger)

    def _hand_in_cold(self, ledger: Ledger) -> None:
        """Look up what commands name for all that wait for it together, then hand them in.

        After a start every product is new; one look-up for each would be most of the work.
        """
        while True:
            with self._lock:
                taken, self._cold = self._cold, []
                if not taken:
                    self._looking = False
                    return
            hand_in_all(ledger, taken)

    def _gather(self, ledger: Ledger, *, lines: int) -> None:
        begin, self._gathered = not self._gathered, self._gathered + lines
        if begin:
            self._loop.call_soon(self._look_round, ledger, 0, QUIET_ROUNDS)

    def _look_round(self, ledger: Ledger, seen: int, rounds: int) -> None:
        """Call the poster when the loop has read what has come; until then more may join."""
        if seen != self._gathered:
            seen, rounds = self._gathered, QUIET_ROUNDS
        if rounds and seen < GATHERED_MAX:
            self._loop.call_soon(self._look_round, ledger, seen, rounds - 1)
        else:
            self._gathered = 0
            ledger.call()

    async def posted_all(
        self, ledger: Ledger, commands: Sequence[tuple[Any, str | None]], *, ctx: Context
    ) -> list[Any]:
        """Give several commands with their keys to the poster, in order; outcomes in order.

        A command that broke has its exception for an outcome: its neighbours were posted.

        Resolving hundreds of documents would hold up everybody else on the loop, so a thread
        does it.
        """
        waiting = [self._loop.create_future() for _ in commands]
        handings = [
            _Handing(command, key, ctx, partial(self.arrive, future))
            for (command, key), future in zip(commands, waiting, strict=True)
        ]
        await self._loop.run_in_executor(self._threads, hand_in_all, ledger, handings)
        return await asyncio.gather(*waiting, return_exceptions=True)

    async def posted_together(
        self, ledger: Ledger, commands: Sequence[tuple[Post, str | None]], *, ctx: Context
    ) -> list[Any]:
        """Give documents with their keys to the poster that are posted all or none."""
        waiting = [self._loop.create_future() for _ in commands]
        done = [partial(self.arrive, future) for future in waiting]
        hand_in = partial(ledger.hand_in_together, commands, ctx=ctx, done=done)
        await self._loop.run_in_executor(self._threads, hand_in)
        return await asyncio.gather(*waiting, return_exceptions=True)


def hand_in_all(ledger: Ledger, handings: Sequence[_Handing]) -> None:
    """Hand commands in, in order, with one look-up for all."""
    try:
        held = ledger.learn([handing.command for handing in handings])
    except Exception as error:  # noqa: BLE001 - whoever asked is told
        for handing in handings:
            handing.done(error)
        return
    for handing in handings:
        handing.over(ledger, held)
    ledger.call()
