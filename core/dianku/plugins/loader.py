"""Bring one plugin up: its version window, its tables, its code, its hooks; and say what failed.

Each step is guarded by itself: whatever a plugin does while it is brought up (raise, exit, ask for
what this core does not have), the host goes on and the plugin's state says why.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from dianku import __version__
from dianku.access.permissions import KERNEL, OWNER
from dianku.errors import DiankuError
from dianku.hooks.calls import HookCalls, HookRefused, apart, described, in_time
from dianku.plugins.discovery import Found
from dianku.plugins.shared_settings import kept_settings
from dianku.plugins.states import Fault, PluginState, Status
from dianku.settings.kernel import KERNEL_SECTIONS
from dianku.storage.schema import metadata

MIGRATIONS = "migrations"
_log = logging.getLogger(__name__)
Migrate = Callable[[str, Path], None]
"""Plugin name and the folder of its revisions: brings its tables up."""


def judge(found: Found, *, required: bool) -> PluginState:
    """The state of a plugin by what it declares alone; nothing of it is imported."""
    state = PluginState(
        name=found.name,
        status=Status.LOADED,
        required=required,
        version=found.version,
        distribution=found.distribution,
        manifest=found.manifest,
    )
    if found.manifest is None:
        state.refuse(Fault("manifest", found.error, _reinstall(found)))
    elif (taken := name_of_kernel(found.name)) is not None:
        what = f"the name {found.name!r} is the kernel's: {taken}."
        state.refuse(Fault("manifest", what, _report(found)))
    elif not found.manifest.window.admits(__version__):
        window = f"it works with dianku-core {found.manifest.core}, this is {__version__}"
        what = f"{window} ({found.line_of('core')})."
        remedy = f"Install a version of {found.distribution or found.name} made for this core."
        state.refuse(Fault("manifest", what, remedy))
    elif found.manifest.tables and revisions_of(found) is None:
        what = f"it names tables, but there is no folder {MIGRATIONS!r} beside its code."
        state.refuse(Fault("migrations", what, _reinstall(found)))
    return state


def name_of_kernel(name: str) -> str | None:
    """What of the kernel's a plugin of this name would hold as its own; None when nothing."""
    if name == "core":
        return "its tables are kept under it"
    if any(section.name == name for section in KERNEL_SECTIONS):
        return f"settings {name!r}"
    tables = sorted(t for t in metadata.tables if t.startswith(f"{name}_"))
    if tables:
        return f"table {tables[0]!r}"
    rights = sorted(p for p in KERNEL[OWNER] if p.startswith(f"{name}."))
    return f"permission {rights[0]!r}" if rights else None


def bring_up(found: Found, state: PluginState, *, calls: HookCalls, migrate: Migrate) -> None:
    """Migrate, import and register one plugin; `state` tells how it went."""
    # The last word of a process that a plugin ends: who starts a trial reads it.
    _log.debug("bringing up %s", found.name)
    if not _migrated(found, state, migrate):
        return
    try:
        with kept_settings():
            state.module = in_time(lambda: _import(found), limit_s=calls.start_limit_s)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
        _log.warning("plugin %s was not imported", found.name, exc_info=error)
        what = f"importing {found.target} raised {described(error)}."
        state.refuse(Fault("import", what, _report(found)))
        return
    try:
        calls.register(found.name, state.module)
    except HookRefused as error:
        what = f"its hooks do not fit this core: {error}."
        state.refuse(Fault("hooks", what, _report(found)))


def _migrated(found: Found, state: PluginState, migrate: Migrate) -> bool:
    folder = revisions_of(found)
    if folder is None:
        return True
    try:
        apart(lambda: migrate(found.name, folder))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - its revisions are its own code
        said = str(error) if isinstance(error, DiankuError) else described(error)
        state.refuse(Fault("migrations", f"{said}.", _report(found)))
        return False
    return True


def _import(found: Found) -> ModuleType:
    if found.file is None:
        return importlib.import_module(found.target.partition(":")[0])
    name = f"dianku_file_{found.name}"
    spec = importlib.util.spec_from_file_location(name, found.file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{found.file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def revisions_of(found: Found) -> Path | None:
    """The folder of a plugin's revisions; None where it declares no tables or has no folder."""
    if found.manifest is None or not found.manifest.tables or found.folder is None:
        return None
    folder = found.folder / MIGRATIONS
    return folder if folder.is_dir() else None


def _reinstall(found: Found) -> str:
    return f"Reinstall {found.distribution or found.name}, or switch the plugin off."


def _report(found: Found) -> str:
    who = found.distribution or found.name
    return f"Tell the author of {who}, install another version, or switch the plugin off."
