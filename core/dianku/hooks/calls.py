"""Call hooks one implementation at a time, so that a failure stays with the plugin it is of.

pluggy stops at the first implementation that raises; here each is called by itself, whatever it
raises (`SystemExit` and a cancellation too) is caught, every call is timed, the offender is named.
"""

from __future__ import annotations

import decimal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from types import ModuleType
from typing import Any

import pluggy
from attrs import define, frozen

from dianku.errors import DiankuError
from dianku.hooks import specs
from dianku.hooks.kinds import HOOKS, Kind

Arguments = Callable[[str], Mapping[str, Any]]
"""Plugin name -> the arguments its implementation is offered."""
Wrong = Callable[[str, Any], str | None]
"""Plugin name and a record of its -> what is wrong with it, or None."""


class HookRefused(DiankuError):
    """A plugin whose hooks cannot be used: an unknown hook, a newer argument, a wrapper."""


class HookFailed(DiankuError):
    """An implementation failed, where every degrade is an error (`DIANKU_STRICT=1`)."""


@frozen
class Failure:
    """One failed call: whose, of which hook, with what; `cause` where something was raised."""

    plugin: str
    hook: str
    error: str
    cause: BaseException | None = None


@frozen
class Collected:
    """One record and the plugin it is of."""

    plugin: str
    record: Any


@define
class Timing:
    """How long a plugin's implementation of a hook takes, in milliseconds."""

    calls: int = 0
    total_ms: float = 0.0
    longest_ms: float = 0.0


AT_START = frozenset(
    {"register_routes", "register_jobs", "register_pages", "register_panels", "register_sites"}
)
"""Hooks the start of a shop waits for, and so only for a time.

A plugin that asks another machine then would else keep the till shut as long as that one is silent.
"""
SAID_MAX = 500
"""Characters kept of what a plugin says."""


def described(error: BaseException) -> str:
    """An error in one line, with its type: `sys.exit` of a plugin is one too."""
    try:
        said = str(error)
    except BaseException as second:  # noqa: BLE001 - an error of a plugin's own class may do anything
        said = f"(its text cannot be had: {type(second).__name__})"
    return kept(f"{type(error).__name__}: {said}")


def kept(said: str) -> str:
    """What a plugin said, in one line and in signs that a database keeps and UTF-8 can carry."""
    line = said.strip().replace("\n", " ").replace("\0", "\N{REPLACEMENT CHARACTER}")[:SAID_MAX]
    return line.encode(errors="replace").decode()


def its_own(error: BaseException) -> BaseException:
    """What a plugin raised on a thread of its own, as an error of that plugin.

    A Ctrl-C arrives at the main thread alone: here it is no one's wish to stop the shop.
    """
    return RuntimeError(repr(error)) if isinstance(error, KeyboardInterrupt) else error


def apart(task: Callable[[], Any]) -> Any:
    """Call on a thread of its own and wait: what a Ctrl-C is then is not the plugin's to say.

    Raises:
        KeyboardInterrupt: somebody pressed Ctrl-C; and whatever the call raises.
    """
    return _on_a_thread(task, limit_s=None)


def in_time(task: Callable[[], Any], *, limit_s: float) -> Any:
    """Call as `apart`, on a thread that is left behind when the time is over.

    Raises:
        TimeoutError: it is; and whatever the call raises.
    """
    return _on_a_thread(task, limit_s=limit_s)


def _on_a_thread(task: Callable[[], Any], *, limit_s: float | None) -> Any:
    done: Future[Any] = Future()

    def run() -> None:
        try:
            done.set_result(task())
        except BaseException as error:  # noqa: BLE001 - handed to the one who waits
            done.set_exception(its_own(error))

    threading.Thread(target=run, name="plugin-start", daemon=True).start()
    try:
        return done.result(limit_s)
    except TimeoutError:
        if done.done() or limit_s is None:
            raise
        raise TimeoutError(f"took longer than {limit_s:g} s") from None


class HookCalls:
    """The registered implementations, in the order plugins were loaded.

    `failed` is told of every failure; in `strict` it is raised as well. `start_limit_s` is how
    long one plugin may take of the start, for its import and for each hook of `AT_START`.
    """

    def __init__(
        self,
        *,
        failed: Callable[[Failure], None],
        strict: bool = False,
        start_limit_s: float = 30.0,
    ) -> None:
        self._pluggy = pluggy.PluginManager("dianku")
        self._pluggy.add_hookspecs(specs)
        self._failed = failed
        self._strict = strict
        self.start_limit_s = start_limit_s
        self._order: list[str] = []
        self._lock = threading.Lock()
        self.timings: dict[tuple[str, str], Timing] = {}

    def register(self, name: str, module: ModuleType) -> None:
        """Take a plugin's implementations.

        Raises:
            HookRefused: it has a hook that is not there, asks for an argument that is not
                there, or wraps others. Nothing of it is kept.
        """
        try:
            self._pluggy.register(module, name=name)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise HookRefused(kept(str(error))) from error
        wrong = self._wrong(name)
        if wrong:
            self._pluggy.unregister(name=name)
            raise HookRefused("; ".join(wrong))
        self._order.append(name)

    def unregister(self, name: str) -> None:
        """Forget a plugin."""
        if name in self._order:
            self._order.remove(name)
            self._pluggy.unregister(name=name)

    def implementing(self, hook: str) -> Sequence[str]:
        """The plugins that implement a hook, in the order they were loaded."""
        found = {impl.plugin_name for impl in self._impls(hook)}
        return [name for name in self._order if name in found]

    def hooks_of(self, plugin: str) -> Sequence[str]:
        """The hooks a plugin implements, by name."""
        return sorted(name for name in HOOKS if plugin in self.implementing(name))

    def call(self, plugin: str, hook: str, arguments: Mapping[str, Any]) -> Any:
        """Call one plugin's implementation; whatever it raises comes through."""
        impl = next(i for i in self._impls(hook) if i.plugin_name == plugin)
        began = time.perf_counter()
        try:
            # The digits a plugin calculates with are its own: everybody's next sum keeps its cents.
            with decimal.localcontext():
                return impl.function(*[arguments[name] for name in impl.argnames])
        finally:
            self._timed(plugin, hook, (time.perf_counter() - began) * 1000)

    def collect(
        self, hook: str, arguments: Arguments, *, wrong: Wrong | None = None
    ) -> list[Collected]:
        """Every record of a collect hook; a plugin that fails loses its own.

        A record that is `wrong` is left out before names are compared, so that it takes no name
        from another's. Of two records of one name the one of the plugin loaded first stands.

        Raises:
            HookFailed: in strict, for the first failure.
        """
        found: dict[str, Collected] = {}
        for plugin in self.implementing(hook):
            try:
                asked = partial(self._records, plugin, hook, arguments(plugin))
                if hook in AT_START:
                    records = in_time(asked, limit_s=self.start_limit_s)
                else:
                    records = apart(asked)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
                self.fail(plugin, hook, described(error), cause=error)
                continue
            for key, record in records:
                why = wrong(plugin, record) if wrong is not None else None
                if why is not None:
                    self.fail(plugin, hook, why)
                elif key in found:
                    first = found[key].plugin
                    self.fail(plugin, hook, f"{key!r} is given by {first!r} and {plugin!r}")
                else:
                    found[key] = Collected(plugin, record)
        return [found[key] for key in sorted(found)]

    def fail(
        self, plugin: str, hook: str, error: str, *, cause: BaseException | None = None
    ) -> None:
        """Note a failure; in strict, raise it."""
        self.note(plugin, hook, error, cause=cause)
        if self._strict:
            raise HookFailed(f"plugin {plugin!r}, {hook}: {error}") from cause

    def note(
        self, plugin: str, hook: str, error: str, *, cause: BaseException | None = None
    ) -> None:
        """Note a failure where nobody waits for the call, so that raising would tell nobody."""
        self._failed(Failure(plugin, hook, kept(error), cause))

    def _records(
        self, plugin: str, hook: str, arguments: Mapping[str, Any]
    ) -> list[tuple[str, Any]]:
        spec = HOOKS[hook]
        if spec.kind is not Kind.COLLECT or spec.returns is None or spec.key is None:
            raise ValueError(f"{hook} does not collect")
        given = self.call(plugin, hook, arguments)
        if not isinstance(given, Iterable):
            raise TypeError(f"returned {type(given).__name__}, not a list of records")
        records = list(given)
        for record in records:
            if not isinstance(record, spec.returns):
                wanted = spec.returns.__name__.removesuffix("Record")
                raise TypeError(f"returned a {type(record).__name__}, not a {wanted}")
        return [(spec.key(record), record) for record in records]

    def _impls(self, hook: str) -> Sequence[pluggy.HookImpl]:
        caller: pluggy.HookCaller = getattr(self._pluggy.hook, hook)
        return caller.get_hookimpls()

    def _wrong(self, name: str) -> list[str]:
        wrong = []
        for caller in self._pluggy.get_hookcallers(self._pluggy.get_plugin(name)) or ():
            if not caller.has_spec():
                wrong.append(f"there is no hook {caller.name!r}")
            wrong += [
                f"{caller.name!r} wraps others, which no hook allows"
                for impl in caller.get_hookimpls()
                if impl.plugin_name == name and (impl.wrapper or impl.hookwrapper)
            ]
        return wrong

    def _timed(self, plugin: str, hook: str, took_ms: float) -> None:
        with self._lock:
            timing = self.timings.setdefault((plugin, hook), Timing())
            timing.calls += 1
            timing.total_ms += took_ms
            timing.longest_ms = max(timing.longest_ms, took_ms)
