"""What `dianku doctor` looks at: tables, books, plugins, people, room; then what plugins ask.

It changes nothing. Each check stands alone: one that breaks is itself a finding, and the others
are still asked.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator

from dianku.hooks.records import Finding, Title
from dianku.host import Host
from dianku.plugins.states import PluginState, Status
from dianku.storage import migrate

ROOM_MIN_BYTES = 500_000_000
"""Less free than this where the data lies is worth a warning: a backup needs room of its own."""

Check = Callable[[Host], Iterable[Finding]]
_SEVERITY = {"error": 0, "warning": 1, "note": 2}


def examine(host: Host) -> list[Finding]:
    """Everything that was found, the worst first. The host is started."""
    found = [finding for check in CHECKS for finding in _asked(check, host)]
    found += _of_plugins(host)
    return sorted(found, key=lambda finding: _SEVERITY[finding.severity])


def _asked(check: Check, host: Host) -> list[Finding]:
    try:
        return list(check(host))
    except Exception as error:  # noqa: BLE001 - a check that breaks is what was found
        return [_broken(check.__name__.strip("_"), error)]


def _of_plugins(host: Host) -> Iterator[Finding]:
    for collected in host.plugins.collect("register_doctor"):
        try:
            yield from collected.record.run()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the plugin's own code
            yield _broken(f"{collected.plugin}: {collected.record.name}", error)


def _broken(subject: str, error: BaseException) -> Finding:
    said = f"{type(error).__name__}: {error}"
    return Finding(
        "error",
        Title(f"这项检查没能完成：{said}", f"this check could not be made: {said}"),
        subject,
    )


def _tables(host: Host) -> Iterator[Finding]:
    for state in migrate.pending(host.database, host.owners):
        yield Finding(
            "error",
            Title("数据表与程序版本不符", "the tables are not what the installed code needs"),
            f"{state.owner} {state.current} -> {state.head}",
            Title("运行 dianku db upgrade", "run: dianku db upgrade"),
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
    count = len(host.ledger.verify().differences)
    if count:
        yield Finding(
            "error",
            Title(f"{count} 处结存与流水不符", f"{count} sums differ from their moves"),
            "ledger",
            Title("运行 dianku ledger verify 查看", "run: dianku ledger verify"),
        )


def _plugins(host: Host) -> Iterator[Finding]:
    for state in host.plugins.states:
        if state.status in {Status.DEGRADED, Status.REFUSED, Status.MISSING}:
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


def _people(host: Host) -> Iterator[Finding]:
    users = host.access.list_users()
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


CHECKS: tuple[Check, ...] = (_tables, _soundness, _books, _plugins, _people, _room)
"""The kernel's own checks."""
