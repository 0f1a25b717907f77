"""What plugins left behind that are not installed any more: tables that nothing reads.

Uninstalling removes code only. The version table `alembic_version_NAME` says whose tables there
were, so that the plugin can be named until it is back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.engine import Connection

from dianku.plugins.states import Fault, PluginState, Status
from dianku.storage.shape import table_names

LEFT = "tables"
"""Where the fault of such a plugin is: nothing is broken, something is kept."""

_VERSION = "alembic_version_"
_CORE = "core"


def left_tables(connection: Connection, *, known: Collection[str]) -> Mapping[str, Sequence[str]]:
    """Tables by the plugin they bear the name of, for plugins that are not among the `known`."""
    names = table_names(connection)
    owners = {name.removeprefix(_VERSION) for name in names if name.startswith(_VERSION)}
    gone = owners - {_CORE} - set(known)
    left: dict[str, list[str]] = {name: [] for name in sorted(gone)}
    for table in names if gone else ():
        # `alerts_log_line` is of `alerts_log`, not of `alerts`, where there are both.
        bearing = [one for one in owners | set(known) if table.startswith(f"{one}_")]
        owner = max(bearing, key=len, default="")
        if owner in gone:
            left[owner].append(table)
    return left


def missing_state(name: str, tables: Sequence[str]) -> PluginState:
    """The state of a plugin of which there are only tables."""
    state = PluginState(name=name, status=Status.MISSING)
    what = f"its tables are left ({', '.join(tables) or 'none'}), but it is not installed."
    remedy = f"Install {name} again and it goes on with them; until then nothing reads them."
    state.faults = (Fault(LEFT, what, remedy),)
    return state
