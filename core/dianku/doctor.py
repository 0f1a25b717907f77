"""What `dianku doctor` looks at: tables, books, clock, backups, plugins, people, room.

Then come the questions that plugins bring.

It changes nothing. Each check stands alone: one that breaks is itself a finding, and the others
are still asked.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from dianku.access.tables import audit
from dianku.access.trail import BACKED_UP
from dianku.catalog.tables import product, store
from dianku.clock import format_ms, from_ms
from dianku.context import Context
from dianku.hooks.calls import apart
from dianku.hooks.records import Finding, Title
from dianku.hooks.tables import parked_event
from dianku.host import Host
from dianku.ledger.tables import document, document_attachment
from dianku.plugins.leftovers import LEFT
from dianku.plugins.states import PluginState, Status
from dianku.storage import migrate
from dianku.storage.schema import event

ROOM_MIN_BYTES = 500_000_000
"""Less free than this where the data lies is worth a warning: a backup needs room of its own."""

BACKUP_DAYS_MAX = 7
AUTHORITY_SOON = timedelta(days=90)
"""Phones have to be walked through anew when the authority ends: not on a busy Saturday."""
DAY_MS = 86_400_000
CLOCK_SLACK_MS = 60_000
"""Machines that share a database differ by seconds."""
_NAMED = {"product_id": product, "store_id": store, "document_id": document}

Check = Callable[[Host], Iterable[Finding]]
_SEVERITY = {"error": 0, "warning": 1, "note": 2}


def examine(host: Host) -> list[Finding]:
    """Everything that was found, the worst first.

    The host is started, unless its tables are newer than the code: then only they, the file and
    the room are looked at, for what a newer version keeps in them is not known here.
    """
    [core] = migrate.status(host.database)
    checks = CHECKS if core.known else (_tables, _soundness, _room)
    found = [finding for check in checks for finding in _asked(check, host)]
    if core.known:
        found += _of_plugins(host)
    return sorted(found, key=lambda finding: _SEVERITY[finding.severity])


def _asked(check: Check, host: Host) -> list[Finding]:
    try:
        return list(check(host))
    except Exception as error:  # noqa: BLE001 - a check that breaks is what was found
        return [_broken(check.__name__.strip("_"), error)]


def _of_plugins(host: Host) -> Iterator[Finding]:
    for collected in host.plugins.collect("register_doctor"):
        findings: list[Finding] = []
        try:
            apart(partial(_gather, collected.record.run, findings))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the plugin's own code
            findings.append(_broken(f"{collected.plugin}: {collected.record.name}", error))
        yield from findings


def _gather(run: Callable[[], Iterable[Finding]], findings: list[Finding]) -> None:
    for found in run():
        if not isinstance(found, Finding) or found.severity not in _SEVERITY:
            raise TypeError(f"gave {found!r}, which is no finding")
        findings.append(found)


def _broken(subject: str, error: BaseException) -> Finding:
    said = f"{type(error).__name__}: {error}"
    return Finding(
        "error",
        Title(f"这项检查没能完成：{said}", f"this check could not be made: {said}"),
        subject,
    )


def _tables(host: Host) -> Iterator[Finding]:
    for state in migrate.pending(host.database, host.owners):
        yield _behind(state) if state.known else _ahead(state)


def _behind(state: migrate.SchemaState) -> Finding:
    return Finding(
        "error",
        Title("数据表与程序版本不符", "the tables are not what the installed code needs"),
        f"{state.owner} {state.current} -> {state.head}",
        Title("运行 dianku db upgrade", "run: dianku db upgrade"),
    )


def _ahead(state: migrate.SchemaState) -> Finding:
    return Finding(
        "error",
        Title("数据表出自更新的程序版本", "the tables were made by a newer version than this one"),
        f"{state.owner} {state.current} > {state.head}",
        Title("安装那个版本，或从备份恢复", "install that version, or restore a backup"),
    )


def _left(host: Host) -> Iterator[Finding]:
    """Tables of plugins whose code is not here: kept and unread, until it is back."""
    if not host.config.plugins:
        return  # none was looked for
    with host.database.reading() as connection:
        found = migrate.positions(connection)
    here = {state.name for state in host.plugins.states if state.status is not Status.MISSING}
    for name in sorted(found.keys() - here - {migrate.CORE.name}):
        yield Finding(
            "note",
            Title(
                "数据表的插件未安装；数据保留，不读取",
                "the plugin of these tables is not installed",
            ),
            f"{name} {found[name]}",
            Title(
                f"安装 dianku-{name} 即可继续使用",
                f"they are kept unread; install dianku-{name} to find them again",
            ),
        )


def _soundness(host: Host) -> Iterator[Finding]:
    if host.database.dialect != "sqlite":
        return  # PostgreSQL looks after its own pages
    with host.database.reading() as connection:
        said = connection.exec_driver_sql("PRAGMA quick_check").scalar()
    if said != "ok":
        yield Finding(
            "error",
            Title(f"数据库文件已损坏：{said}", f"the database file is damaged: {said}"),
            host.database.safe_url,
            Title("从备份恢复到新目录", "restore the latest backup into a new folder"),
        )


def _books(host: Host) -> Iterator[Finding]:
    found = host.ledger.verify()
    if not found.clean:
        count = len(found.differences)
        yield Finding(
            "error",
            Title(f"{count} 处结存或汇总与流水不符", f"{count} sums differ from their moves"),
            "ledger",
            Title(
                "运行 dianku ledger verify 查看，dianku ledger rebuild 重建",
                "run: dianku ledger verify, then: dianku ledger rebuild",
            ),
        )


def _time(host: Host) -> Iterator[Finding]:
    """A clock that stands before what has happened gives everything wrong times and dates."""
    newest = sa.select(event.c.at).order_by(event.c.id.desc()).limit(1)
    with host.database.reading() as connection:
        last = connection.execute(newest).scalar()
    now_ms = host.clock.now_ms()
    if last is not None and last > now_ms + CLOCK_SLACK_MS:
        yield Finding(
            "error",
            Title(
                f"本机时钟是 {format_ms(now_ms)}，而最后一条事件记于 {format_ms(last)}",
                f"the clock says {format_ms(now_ms)}, yet the last event is of {format_ms(last)}",
            ),
            "clock",
            Title("校准本机时钟", "set the clock of this machine right"),
        )


def _backups(host: Host) -> Iterator[Finding]:
    """Days without a backup, counted from the first event where there never was one."""
    with host.database.reading() as connection:
        made = connection.execute(
            sa.select(sa.func.max(audit.c.at)).where(audit.c.action == BACKED_UP)
        ).scalar()
        begun = connection.execute(sa.select(event.c.at).order_by(event.c.id).limit(1)).scalar()
    since = made if made is not None else begun
    if since is None:
        return
    days = (host.clock.now_ms() - since) // DAY_MS
    if days > BACKUP_DAYS_MAX:
        zh = f"上次备份是 {days} 天前" if made is not None else f"开店 {days} 天，还没有备份过"
        en = "the last backup was made" if made is not None else "never backed up; it began"
        yield Finding(
            "warning",
            Title(zh, f"{en} {days} days ago"),
            "backup",
            Title("运行 dianku backup 文件名", "run: dianku backup FILE"),
        )


def _orphans(host: Host) -> Iterator[Finding]:
    """Rows of plugins that name what the core no longer has; no foreign key keeps them from it.

    A plugin's column called `product_id`, `store_id` or `document_id` holds the core's number.
    """
    inspector = sa.inspect(host.database.engine)
    there = set(inspector.get_table_names())
    for manifest in host.plugins.manifests:
        for table in sorted(there.intersection(manifest.tables)):
            columns = {column["name"] for column in inspector.get_columns(table)}
            for name in sorted(columns & _NAMED.keys()):
                count = _count_orphans(host, table, name)
                if count:
                    yield _orphan(manifest.name, f"{table}.{name}", count)


def _count_orphans(host: Host, table: str, name: str) -> int:
    theirs = sa.table(table, sa.column(name)).c[name]
    ours = _NAMED[name].c.id
    query = sa.select(sa.func.count()).where(
        theirs.is_not(None), ~sa.exists().where(ours == theirs)
    )
    with host.database.reading() as connection:
        return int(connection.execute(query).scalar_one())


def _orphan(plugin: str, column: str, count: int) -> Finding:
    return Finding(
        "warning",
        Title(
            f"{count} 行指向已不存在的记录（{column}）",
            f"{count} rows name records that are not there ({column})",
        ),
        plugin,
        Title("它们不影响库存；请告知插件作者", "stock is not touched; tell the plugin's author"),
    )


def _files(host: Host) -> Iterator[Finding]:
    """Pictures and papers that goods and documents are shown with, whose files are gone."""
    shown = sa.union(
        sa.select(document_attachment.c.attachment),
        sa.select(product.c.photo).where(product.c.photo.is_not(None)),
    )
    with host.database.reading() as connection:
        linked = connection.execute(shown).scalars().all()
    gone = sorted(one for one in linked if not host.attachments.has(one))
    if gone:
        what = Title(f"{len(gone)} 个图片或附件的文件不见了", f"{len(gone)} kept files are gone")
        remedy = Title("从备份恢复", "restore them from a backup")
        yield Finding("error", what, ", ".join(one[:12] for one in gone[:5]), remedy)


def _plugins(host: Host) -> Iterator[Finding]:
    for state in host.plugins.states:
        # Of whom only tables are left, `_left` tells.
        only_left = any(fault.where == LEFT for fault in state.faults)
        if state.status in {Status.DEGRADED, Status.REFUSED, Status.MISSING} and not only_left:
            yield _of_state(state)


def _of_state(state: PluginState) -> Finding:
    fault = state.faults[-1] if state.faults else None
    why = str(fault) if fault is not None else state.status.value
    return Finding(
        "error" if state.required else "warning",
        Title(f"插件有故障：{why}", f"the plugin is not well: {why}"),
        state.name,
        Title("运行 dianku plugin info 查看", f"run: dianku plugin info {state.name}"),
    )


def _parked(host: Host) -> Iterator[Finding]:
    """Events a plugin could not take: it never heard of them, whatever it shows."""
    count = sa.func.count().label("count")
    query = sa.select(parked_event.c.plugin, count, sa.func.max(parked_event.c.error).label("why"))
    with host.database.reading() as connection:
        rows = connection.execute(query.group_by(parked_event.c.plugin)).all()
    for row in rows:
        yield Finding(
            "warning",
            Title(
                f"{row.count} 个事件未能送达插件：{row.why}",
                f"{row.count} events were given up on: {row.why}",
            ),
            row.plugin,
            Title("请告知插件作者", "tell the plugin's author"),
        )


def _people(host: Host) -> Iterator[Finding]:
    users = host.access.list_users(ctx=Context(host.access.actor("doctor")))
    if not any(user.role == "owner" and user.can_sign_in and user.active for user in users):
        yield Finding(
            "note",
            Title("还没有能登录的店主", "no owner can sign in yet"),
            "users",
            Title(
                "用 dianku init 的一次性链接设定", "use the one-time link that dianku init gives"
            ),
        )


def _room(host: Host) -> Iterator[Finding]:
    free = shutil.disk_usage(host.config.data_dir).free
    if free < ROOM_MIN_BYTES:
        megabytes = free // 1_000_000
        yield Finding(
            "warning",
            Title(f"磁盘只剩 {megabytes} MB", f"only {megabytes} MB are free"),
            str(host.config.data_dir),
            Title("腾出空间", "make room"),
        )


def _trust(host: Host) -> Iterator[Finding]:
    """HTTPS by the shop's own authority, where it was ever used: what ended, lacks or lies open."""
    trust = host.trust
    if not trust.folder.is_dir():
        return
    anew = Title(
        f"放回 {trust.folder} 的副本；没有就删除它，再运行 dianku serve --https，每部手机重新信任",
        f"bring back a copy of {trust.folder}; without one, remove it and run "
        "dianku serve --https: every phone then has to trust it anew",
    )
    for file in trust.lying_open():
        yield Finding(
            "error",
            Title("别人能读到证书的私钥", "others on this machine can read this private key"),
            str(file),
            Title(f"运行 chmod 600 {file}", f"run: chmod 600 {file}"),
        )
    now = from_ms(host.clock.now_ms())
    try:
        authority = trust.authority()
    except ValueError as error:
        zh, en = f"店铺的证书机构已损坏：{error}", f"the shop's authority is damaged: {error}"
        yield Finding("error", Title(zh, en), str(trust.folder), anew)
        return
    if authority is None:
        zh, en = "店铺的证书机构不见了", "the shop's authority is missing"
        yield Finding("error", Title(zh, en), str(trust.folder), anew)
    elif authority.ends_at - now < AUTHORITY_SOON:
        ended = authority.ends_at <= now
        day = authority.ends_at.date().isoformat()
        yield Finding(
            "error" if ended else "warning",
            Title(f"手机信任的证书机构 {day} 到期", f"the authority phones trust ends on {day}"),
            authority.name,
            Title(
                "到期后 dianku serve --https 会新做一个，每部手机要重新信任；先安排好时间",
                "dianku serve --https then makes a new one for every phone to trust: plan for it",
            ),
        )
    yield from _server_certificate(host, now)


def _server_certificate(host: Host, now: datetime) -> Iterator[Finding]:
    running = Title(
        "运行 dianku serve --https，证书会自动更新", "run dianku serve --https, which renews it"
    )
    try:
        server = host.trust.server()
    except ValueError:  # damaged: the server makes it anew
        server = None
    if server is None or server.ends_at <= now:
        said = Title("没有可用的服务器证书", "there is no server's certificate to use")
        if server is not None:
            day = server.ends_at.date().isoformat()
            said = Title(f"服务器的证书 {day} 已到期", f"the server's certificate ended on {day}")
        yield Finding("error", said, str(host.trust.server_file), running)
        return
    if lacking := host.trust.unnamed():
        yield Finding(
            "warning",
            Title(
                "服务器的证书里没有本机的这些地址", "the server's certificate does not name these"
            ),
            ", ".join(lacking),
            Title(
                "运行中的服务器一分钟内会补上；仍不行就重新运行 dianku serve --https",
                "a running server adds them within a minute; if not, start dianku serve --https",
            ),
        )


CHECKS: tuple[Check, ...] = (
    _tables,
    _left,
    _soundness,
    _books,
    _time,
    _backups,
    _plugins,
    _parked,
    _orphans,
    _files,
    _people,
    _trust,
    _room,
)
"""The kernel's own checks."""
