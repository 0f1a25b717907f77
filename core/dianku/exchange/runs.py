"""The book of imports: a run is begun once for a file, saved as it goes, and ended with its counts.

A file is known by its content and kind. A run that ended is refused a second time unless asked
for; one that died half way is taken up again under its own number, so that what it had posted is
recognised by its keys and nothing is doubled.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from attrs import define, evolve, field, frozen
from sqlalchemy.engine import Connection

from dianku.clock import Clock, format_ms
from dianku.context import Actor
from dianku.errors import Problem, refuse
from dianku.exchange.columns import fields_of
from dianku.exchange.records import CellRemark, ImportKind, ImportRecord, Remarks, Said
from dianku.exchange.tables import import_change, import_run
from dianku.storage.bulk import insert_rows
from dianku.storage.engine import Database
from dianku.storage.leader import ProcessLock, import_lock

LOCK_IMPORT = 7_310_005
"""Taken while a run begins, so that of two at one instant one is refused."""
BROKEN_OFF = "internal_error"


@frozen
class Options:
    """How a file is imported.

    Attributes:
        store: Code of the store of rows that name none.
        mapping: Field to heading or column letter, None: it is in no column. None as a whole:
            what was said of this file before counts where it is taken up or repeated, else all
            is guessed.
        heading_row: Row of the headings, from 1; 0: there are none. None: found.
        post: Sales history moves stock through the ledger.
        create_missing: Unknown goods of a sales history are made.
        with_stock: A product file's stock column is posted as opening stock.
    """

    dry_run: bool = False
    again: bool = False
    store: str | None = None
    mapping: dict[str, str | None] | None = None
    heading_row: int | None = None
    post: bool = False
    create_missing: bool = False
    with_stock: bool = False


@define
class Run:
    """A run under way: its counts, and what there is to say of its cells.

    `attempt` counts the runs of the same file that ended before: it is part of the keys of what
    is posted, so that a repeated run posts anew and a resumed one does not.
    """

    id: int
    kind: ImportKind
    file_hash: str
    attempt: int
    options: Options
    remarks: Remarks = field(factory=Remarks)
    rows: int = 0
    progress: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    changes: int = 0

    def count(self, verdict: str) -> None:
        """Give one more row its verdict: created, updated, unchanged or failed."""
        setattr(self, verdict, getattr(self, verdict) + 1)
        self.progress += 1


class RunBook:
    """Imports as they are kept in the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._active: dict[int, ProcessLock] = {}
        self._guard = threading.Lock()

    def now_ms(self) -> int:
        """The time of the shop's clock."""
        return self._clock.now_ms()

    def begin(
        self,
        *,
        kind: ImportKind,
        file_name: str,
        file_hash: str,
        options: Options,
        actor: Actor,
        resume: str | None = None,
    ) -> Run:
        """Begin a run, or take up one that died; `resume` tells which, if it is a dry one.

        Raises:
            Refused: `import_repeated` with the `id` of the run that read this file before.
        """
        # The transaction first: it may be one that was joined, and so begun before.
        with self._database.writing() as connection, self._guard:
            self._database.lock(connection, LOCK_IMPORT)
            same = sa.select(import_run).where(
                import_run.c.file_hash == file_hash,
                import_run.c.kind == kind,
                import_run.c.dry_run == sa.false(),
            )
            earlier = connection.execute(same.order_by(import_run.c.id)).all()
            attempt = sum(1 for row in earlier if row.status in {"done", "undone"})
            resumed = None
            if options.dry_run and resume is not None:
                resumed = self._resumable([self.row(resume)], options)
            elif not options.dry_run:
                resumed = self._resumable(earlier, options)
                self._refuse_repeat(earlier, again=options.again)
            run_id = resumed or self._insert(
                connection,
                kind=kind,
                file_name=file_name,
                file_hash=file_hash,
                dry_run=options.dry_run,
                actor=actor.name,
                actor_id=actor.id,
                remarks=_text(Remarks(said=_said(options))),
            )
            if run_id not in self._active:
                self._take(run_id)
            if resumed is not None:
                self._reopen(connection, run_id, said=_said(options))
        run = Run(run_id, kind, file_hash, attempt, options, changes=self._changes(run_id))
        run.remarks.said = _said(options)
        return run

    def settled(
        self, options: Options, *, kind: ImportKind, file_hash: str, resume: str | None
    ) -> Options:
        """Options with what was said of the same file before, where that run is to go on.

        So one that was cut off, and one that is repeated, reads the columns as it did.
        """
        if options.mapping is not None or options.heading_row is not None:
            return options
        same = sa.select(import_run).where(
            import_run.c.file_hash == file_hash,
            import_run.c.kind == kind,
            import_run.c.dry_run == sa.false(),
        )
        if resume is not None:
            same = sa.select(import_run).where(import_run.c.id == int(resume))
        with self._database.reading() as connection:
            last = connection.execute(same.order_by(import_run.c.id.desc()).limit(1)).first()
        if last is None or not (options.again or resume is not None or _goes_on(last)):
            return options
        said = _remarks(last).said
        return evolve(options, mapping=said.mapping, heading_row=said.heading_row)

    def _resumable(self, earlier: Any, options: Options) -> int | None:
        for row in earlier:
            broken = row.status == "failed" and _remarks(row).problem == BROKEN_OFF
            if row.id in self._active or (
                (row.status == "running" or broken) and not self._take(row.id)
            ):
                raise refuse("import_repeated", extra={"import": str(row.id)}, id=str(row.id))
            if row.id in self._active:
                if _remarks(row).said != _said(options):  # half of it would be read otherwise
                    self._active.pop(row.id).release()
                    raise refuse("import_mapped", extra={"import": str(row.id)}, id=str(row.id))
                return int(row.id)
        return None

    def _take(self, run_id: int) -> bool:
        """Have a run carried out here, if no process that lives does so."""
        lock = import_lock(self._database, run_id)
        if not lock.hold():
            return False
        self._active[run_id] = lock
        return True

    def _reopen(self, connection: Connection, run_id: int, *, said: Said) -> None:
        connection.execute(
            sa.update(import_run)
            .where(import_run.c.id == run_id)
            .values(status="running", ended_at=None, remarks=_text(Remarks(said=said)))
        )

    def settle_dead(self, run_id: str) -> None:
        """Say of a run that it failed, if it is said to run and its process died.

        Then it can be undone; whoever sends its file again takes it up all the same.
        """
        row = self.row(run_id)
        if row.status != "running" or row.id in self._active:
            return
        lock = import_lock(self._database, row.id)
        if not lock.hold():  # a process that lives carries it out
            return
        try:
            remarks = Remarks(problem=BROKEN_OFF, said=_remarks(row).said)
            with self._database.writing() as connection:
                connection.execute(
                    sa.update(import_run)
                    .where(import_run.c.id == row.id, import_run.c.status == "running")
                    .values(
                        status="failed",
                        ended_at=self._clock.now_ms(),
                        remarks=_text(remarks),
                    )
                )
        finally:
            lock.release()

    def is_dead(self, run_id: str) -> bool:
        """Whether a run ended before its end, as far as can be told without taking it up."""
        row = self.row(run_id)
        broken = row.status == "failed" and _remarks(row).problem == BROKEN_OFF
        return broken or (row.status == "running" and row.id not in self._active)

    def _refuse_repeat(self, earlier: Any, *, again: bool) -> None:
        # A run whose every row was refused took nothing in, and may be tried again.
        done = [
            row
            for row in earlier
            if row.status == "done" and row.created + row.updated + row.unchanged > 0
        ]
        if done and not again:
            number = str(done[-1].id)
            raise refuse("import_repeated", extra={"import": number}, id=number)

    def _insert(self, connection: Connection, *, dry_run: bool, **given: str) -> int:
        values = {
            **given,
            "dry_run": dry_run,
            "status": "running",
            "started_at": self._clock.now_ms(),
        }
        made = connection.execute(sa.insert(import_run).values(values).returning(import_run.c.id))
        return int(made.scalar_one())

    def _changes(self, run_id: int) -> int:
        with self._database.reading() as connection:
            last = sa.select(sa.func.max(import_change.c.position)).where(
                import_change.c.import_id == run_id
            )
            return int(connection.execute(last).scalar() or 0)

    def save(self, connection: Connection, run: Run) -> None:
        """Keep how far a run is, in the transaction that took it there."""
        connection.execute(
            sa.update(import_run)
            .where(import_run.c.id == run.id)
            .values(progress=run.progress, rows=run.rows, **_counts(run))
        )

    def add_changes(
        self, connection: Connection, run: Run, changes: Sequence[tuple[str, str, str | None, str]]
    ) -> None:
        """Keep what was changed: (what, key, before, after) each."""
        rows = [(run.id, run.changes + i, *change) for i, change in enumerate(changes, start=1)]
        run.changes += len(rows)
        insert_rows(
            connection,
            import_change,
            ("import_id", "position", "what", "key", "before", "after"),
            rows,
        )

    def end(self, run: Run, problem: Problem | None = None) -> None:
        """Close a run: done, or failed with what ended it."""
        if problem is not None:
            run.remarks.problem = problem.code
            run.remarks.params = dict(problem.params)
        values = {
            "status": "done" if problem is None else "failed",
            "ended_at": self._clock.now_ms(),
            "progress": run.progress,
            "rows": run.rows,
            "remarks": _text(run.remarks),
            **_counts(run),
        }
        with self._database.writing() as connection:
            connection.execute(
                sa.update(import_run).where(import_run.c.id == run.id).values(values)
            )
        self.forget(run)

    def forget(self, run: Run) -> None:
        """Let go of a run that is under way here no more."""
        with self._guard:
            lock = self._active.pop(run.id, None)
        if lock is not None:
            lock.release()

    def get(self, run_id: str) -> ImportRecord:
        """A run as it stands. Raises `Refused`: `not_found`."""
        row = self.row(run_id)
        remarks = _remarks(row)
        return ImportRecord(
            id=str(row.id),
            kind=row.kind,
            file_name=row.file_name,
            status=row.status,
            dry_run=bool(row.dry_run),
            progress=row.progress,
            rows=row.rows,
            created=row.created,
            updated=row.updated,
            unchanged=row.unchanged,
            failed=row.failed,
            errors=remarks.errors,
            errors_total=remarks.errors_total,
            notes=remarks.notes,
            notes_total=remarks.notes_total,
            columns=remarks.columns,
            problem=remarks.problem,
            actor=row.actor,
            started_at=format_ms(row.started_at),
            ended_at=None if row.ended_at is None else format_ms(row.ended_at),
            undone_at=None if row.undone_at is None else format_ms(row.undone_at),
            problem_params=remarks.params,
            mapping=remarks.said.mapping,
            heading_row=remarks.heading_row,
            fields=fields_of(row.kind),
            excerpt=remarks.excerpt,
        )

    def row(self, run_id: str) -> Any:
        """The row of a run. Raises `Refused`: `not_found`."""
        row = None
        if run_id.isascii() and run_id.isdigit() and len(run_id) < 16:
            with self._database.reading() as connection:
                found = sa.select(import_run).where(import_run.c.id == int(run_id))
                row = connection.execute(found).first()
        if row is None:
            raise refuse("not_found", what="import", name=run_id)
        return row

    def list_ids(
        self, *, limit: int, before_id: int | None = None, actor_id: str | None = None
    ) -> list[str]:
        """The newest runs, newest first: those before one, and of one actor, if so asked."""
        with self._database.reading() as connection:
            found = sa.select(import_run.c.id).order_by(import_run.c.id.desc()).limit(limit)
            if before_id is not None:
                found = found.where(import_run.c.id < before_id)
            if actor_id is not None:
                found = found.where(import_run.c.actor_id == actor_id)
            return [str(number) for number in connection.execute(found).scalars()]


def _counts(run: Run) -> dict[str, int]:
    return {
        "created": run.created,
        "updated": run.updated,
        "unchanged": run.unchanged,
        "failed": run.failed,
    }


def _remarks(row: Any) -> Remarks:
    return msgspec.json.decode(row.remarks, type=Remarks)


def _text(remarks: Remarks) -> str:
    return msgspec.json.encode(remarks).decode()


def _said(options: Options) -> Said:
    return Said(mapping=options.mapping, heading_row=options.heading_row)


def _goes_on(row: Any) -> bool:
    return row.status == "running" or (
        row.status == "failed" and _remarks(row).problem == BROKEN_OFF
    )


def keep_remarks(run: Run, errors: list[CellRemark], notes: list[CellRemark]) -> None:
    """Add what a row has to say to its run."""
    for remark in errors:
        run.remarks.add_error(remark)
    for remark in notes:
        run.remarks.add_note(remark)
