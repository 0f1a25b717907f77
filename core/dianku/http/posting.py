"""From the poster's thread back to the event loop, a whole batch with one wake-up.

Waking the loop costs more than posting a line, so the poster's answers are laid down in a deque
and the loop is told only when it is not told already.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Any

from dianku.context import Context

if TYPE_CHECKING:
    from dianku.ledger.service import Ledger


class Landing:
    """Where the outcomes for one event loop arrive."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._arrived: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._told = False

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

        def submit() -> None:
            ledger.hand_in(
                command, key=key, ctx=ctx, done=lambda outcome: self.arrive(waiting, outcome)
            )

        if ledger.check is None and ledger.prepared(command):
            submit()
        else:
            await self._loop.run_in_executor(self._threads, submit)
        return await waiting

    async def posted_all(
        self, ledger: Ledger, commands: Sequence[tuple[Any, str | None]], *, ctx: Context
    ) -> list[Any]:
        """Give several commands with their keys to the poster, in order; outcomes in order.

        Resolving hundreds of documents would hold up everybody else on the loop, so a thread
        does it.
        """
        waiting = [self._loop.create_future() for _ in commands]

        def submit() -> None:
            for (command, key), future in zip(commands, waiting, strict=True):
                ledger.hand_in(command, key=key, ctx=ctx, done=partial(self.arrive, future))

        await self._loop.run_in_executor(self._threads, submit)
        return await asyncio.gather(*waiting)
