"""Installations as `install.sh` leaves them, and bundles for them that install within seconds.

What others wrote comes as one wheel: a `.pth` file that leads to a folder of it made once a run.
All else is as it is for a shop: our own wheels, pip, hashes, virtual environments, the command.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import threading
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from attrs import frozen
from installed import ROOT, Environment, build_wheel, edition_environment, own_wheels
from made_plugins import MadePlugin
from shop_goods import SWEET, sale
from shop_server import Server, ShopFolder

from dianku.testing.runs import folder_of_run
from dianku_cli.assembly.bundle import WHEELS, BundleFacts, platform_tag, python_tag, seal
from dianku_cli.assembly.bundle import sha256_of as digest_of
from dianku_cli.environment.candidate import Candidate, install

NEXT = "0.1.1"
"""The release after this one: another core with a table more, and its edition basic."""
LATER = """\
import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "{head}"


def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
"""
CARDS = """\
from dianku.api import Answer, Route, hookimpl


class Cards(Answer):
    holders: list[str]


@hookimpl
def register_routes(shop):
    import sqlalchemy as sa

    def cards(call):
        with shop.reading() as connection:
            found = connection.execute(sa.text("SELECT holder FROM loyalty_card ORDER BY 1"))
            return Cards(holders=[row.holder for row in found])

    return [Route("GET", "/loyalty", cards, "stock.view", "Holders", answer=Cards)]
"""
LOYALTY = MadePlugin(
    name="loyalty",
    code=CARDS,
    manifest='tables = ["loyalty_card"]\nroutes = ["/loyalty"]\n',
    steps=[
        (
            'op.create_table("loyalty_card", sa.Column("holder", sa.Text, primary_key=True));'
            " op.execute(\"INSERT INTO loyalty_card VALUES ('anna')\")"
        )
    ],
)
"""The plugin of an outsider's edition `corner`, with a table and a row of its own."""


@contextmanager
def _once(name: str) -> Iterator[Path]:
    """A folder of the run that one worker makes while the others wait."""
    folder = folder_of_run() / "upgrades" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield folder


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    files: Iterable[tuple[str, str]] = (),
    requires: Sequence[str] = (),
) -> Path:
    """Write a wheel of a few texts."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    head = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    texts = dict(files) | {
        f"{info}/METADATA": "\n".join([*head, *(f"Requires-Dist: {one}" for one in requires), ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*texts, f"{info}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**texts, f"{info}/RECORD": record}.items():
            archive.writestr(member, text)
    return path


def _others() -> list[Path]:
    """What others wrote as wheels: the one that leads there, and the driver's name."""
    with _once("others") as folder:
        if not folder.exists():
            found = edition_environment("basic", extras=["psycopg", "psycopg-binary"])
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            ours = shutil.ignore_patterns("dianku*", "pip", "pip-*", "psycopg-*")
            shutil.copytree(found.packages, part / "packages", ignore=ours, copy_function=os.link)
            lead = [("others.pth", f"{folder / 'packages'}\n")]
            write_wheel(part / WHEELS, "others", "1.0", files=lead)
            write_wheel(part / WHEELS, "psycopg", "3.3.0")
            part.rename(folder)
    return sorted((folder / WHEELS).glob("*.whl"))


def _own(*names: str) -> list[Path]:
    wanted = {f"dianku_{name}" for name in names}
    return [wheel for wheel in own_wheels() if wheel.name.partition("-")[0] in wanted]


def _sealed(edition: str, version: str, wheels: Iterable[Path], folder: Path) -> Path:
    """A bundle of these wheels, in a folder of its name."""
    facts = BundleFacts(
        edition=edition, version=version, python=python_tag(), platform=platform_tag()
    )
    bundle = folder / facts.name
    (bundle / WHEELS).mkdir(parents=True)
    lines = []
    for wheel in wheels:
        shutil.copy2(wheel, bundle / WHEELS)
        name, number = wheel.name.split("-")[:2]
        lines.append(f"{name}=={number} --hash=sha256:{digest_of(wheel)}\n")
    (bundle / "requirements.txt").write_text("".join(sorted(lines)))
    seal(bundle, facts)
    return bundle


def edition_wheel(
    folder: Path, name: str, version: str, *, manifest: str, pins: Sequence[str]
) -> Path:
    """The wheel of an edition."""
    package = f"dianku_{name}"
    info = f"{package}-{version}.dist-info"
    files = [
        (f"{package}/__init__.py", ""),
        (f"{package}/edition.toml", manifest),
        (f"{info}/entry_points.txt", f"[dianku.editions]\n{name} = {package}\n"),
    ]
    return write_wheel(folder, package, version, files=files, requires=pins)


def corner_wheels(folder: Path, plugin: MadePlugin = LOYALTY) -> list[Path]:
    """An outsider's edition `corner`: basic and a plugin that it requires."""
    manifest = (
        f'name = "corner"\nextends = "basic"\nversion = "1.0"\nrequired = ["{plugin.name}"]\n'
        '[title]\nzh = "街角版"\nen = "Corner"\n'
    )
    pins = ["dianku-basic", f"dianku-{plugin.name}=={plugin.version}"]
    edition = edition_wheel(folder, "corner", "1.0", manifest=manifest, pins=pins)
    return [plugin.wheel(folder), edition]


def bundle(name: str) -> Path:
    """A bundle made once a run: `basic`, `advanced`, `corner`, or `next`, which is basic 0.1.1."""
    with _once(f"bundle-{name}") as folder:
        if not folder.exists():
            part = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            _make_bundle(name, part)
            shutil.rmtree(part / "made", ignore_errors=True)
            part.rename(folder)
    [found] = folder.iterdir()
    return found


def _make_bundle(name: str, folder: Path) -> None:
    basic = [*_own("core", "cli", "console", "reports", "basic"), *_others()]
    if name == "basic":
        _sealed("basic", "0.1.0", basic, folder)
    elif name == "advanced":
        _sealed("advanced", "0.1.0", [*basic, *_own("intermediate", "advanced")], folder)
    elif name == "corner":
        _sealed("corner", "1.0", [*basic, *corner_wheels(folder / "made")], folder)
    else:
        kept = [*_own("cli", "console", "reports"), *_others()]
        _sealed("basic", NEXT, [*_next(folder / "made"), *kept], folder)


def _next(folder: Path) -> list[Path]:
    source = folder / "core"
    shutil.copytree(ROOT / "core", source, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "dianku/__init__.py"):
        text = (source / file).read_text(encoding="utf-8")
        (source / file).write_text(text.replace('"0.1.0"', f'"{NEXT}"'), encoding="utf-8")
    revisions = source / "dianku" / "storage" / "revisions"
    head = max(path.name[:4] for path in revisions.glob("[0-9]*.py"))
    (revisions / "9001_later.py").write_text(LATER.format(head=head))
    manifest = (ROOT / "editions" / "basic" / "edition.toml").read_text(encoding="utf-8")
    pins = [f"dianku-core=={NEXT}", "dianku-cli", "dianku-console", "dianku-reports"]
    edition = edition_wheel(folder, "basic", NEXT, manifest=manifest, pins=pins)
    return [build_wheel(source, folder / "wheels"), edition]


def broken_corner(folder: Path, *, code: str = "", requires: Sequence[str] = ()) -> Path:
    """A bundle of `corner` whose required plugin is broken, or needs what is not in it."""
    plugin = MadePlugin(name="loyalty", code=code, requires=requires)
    basic = [*_own("core", "cli", "console", "reports", "basic"), *_others()]
    return _sealed("corner", "1.0", [*basic, *corner_wheels(folder / "made", plugin)], folder / "b")


def _template() -> Path:
    """Edition basic as a version of an installation, made once a run by what makes versions."""
    with _once("template") as folder:
        if not folder.exists():
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            made = bundle("basic")
            install(Candidate("basic", made, language="en"), part)
            shutil.copy2(made / "SHA256SUMS", part)
            part.rename(folder)
    return folder


@frozen
class Prefix:
    """An installation to spoil, with the data of its shop beside it."""

    folder: Path
    data: Path
    database_url: str | None = None

    @classmethod
    def made(cls, folder: Path, *, database_url: str | None = None) -> Self:
        """Edition basic, as `install.sh` leaves it."""
        prefix, data = folder / "opt", folder / "data"
        version = prefix / "versions" / "basic-0.1.0"
        version.parent.mkdir(parents=True)
        shutil.copytree(_template(), version, symlinks=True, copy_function=_linked)
        script = version / "bin" / "dianku"
        script.unlink()
        script.write_text(
            f'#!/bin/sh\nexec {version}/bin/python -m dianku_cli "$@"\n', encoding="utf-8"
        )
        script.chmod(0o755)
        (prefix / "plugins").mkdir()
        (prefix / "current").symlink_to("versions/basic-0.1.0")
        data.mkdir()
        lines = [
            f"DIANKU_DATA={data}",
            *([f"DIANKU_DATABASE={database_url}"] if database_url else []),
        ]
        (prefix / "dianku.env").write_text("\n".join([*lines, ""]))
        (prefix / "bin").mkdir()
        wrapper = ROOT / "cli" / "dianku_cli" / "assembly" / "files" / "dianku.sh"
        command = prefix / "bin" / "dianku"
        command.write_text(wrapper.read_text(encoding="utf-8").replace("/opt/dianku", str(prefix)))
        command.chmod(0o755)
        return cls(prefix, data, database_url)

    @property
    def command(self) -> Path:
        """What people run."""
        return self.folder / "bin" / "dianku"

    @property
    def current(self) -> str:
        """The name of the version in use; it must be there."""
        found = (self.folder / "current").resolve()
        assert (found / "bin" / "python").exists()
        return found.name

    @property
    def versions(self) -> list[str]:
        """The names of all version folders."""
        folders = (path for path in (self.folder / "versions").iterdir() if path.is_dir())
        return sorted(path.name for path in folders)

    @property
    def shop(self) -> ShopFolder:
        """The shop, run by the installation's own command."""
        found = ShopFolder(self.data, command=[str(self.command)])
        # A proxy that never answers: an administrator's machine may be set to one.
        own = {"DIANKU_LANGUAGE": "en", "HTTP_PROXY": "http://127.0.0.1:9"}
        found.environ = {**Environment(self.folder).environ, **own}
        return found

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the installation's `dianku WORDS`."""
        return subprocess.run(
            [str(self.command), *words],
            env=self.shop.environ | variables,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def add(self, wheels: Iterable[Path]) -> None:
        """Add plugins as `dianku plugin install` leaves them: installed, and kept for later."""
        kept = [shutil.copy2(wheel, self.folder / "plugins") for wheel in wheels]
        Environment(self.folder / "current").install(map(Path, kept))

    def upgrade(self, name: str, source: Path | None = None, *words: str) -> str:
        """Run `dianku edition upgrade --yes`; what it says."""
        named = [] if source is None else ["--from", str(source)]
        done = self.run("edition", "upgrade", name, *named, "--yes", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def refused(self, *words: str, **variables: str) -> str:
        """What a command says that must refuse and leave everything as it is."""
        before = (self.current, self.versions)
        done = self.run(*words, **variables)
        assert done.returncode == 1, done.stdout + done.stderr
        assert (self.current, self.versions) == before
        return done.stdout + done.stderr

    def starting(self, *words: str) -> subprocess.Popen[str]:
        """Start `dianku WORDS` in a session of its own, to be interrupted."""
        return subprocess.Popen(
            [str(self.command), *words],
            env=self.shop.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            # Whoever runs the tests in the background has SIGINT ignored, and that is inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )

    def trail(self, action: str, token: str, server: Server) -> list[dict[str, Any]]:
        """The lines of the trail about an action."""
        items = server.call("GET", "/audit?limit=100", token=token)["items"]
        return [line for line in items if line["action"] == action]


def readyz(server: Server) -> dict[str, Any]:
    """What the server says of itself."""
    with urllib.request.urlopen(f"{server.url}/readyz", timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


class Seller:
    """Somebody at the till for as long as the block lasts: one sale after the other."""

    def __init__(self, server: Server, token: str) -> None:
        self._server = server
        self._token = token
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._sell)
        self.sold = 0
        self.failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_ended: object) -> None:
        self._ending.set()
        self._thread.join()

    def _sell(self) -> None:
        body = sale(SWEET)
        try:
            while not self._ending.wait(0.05):
                self._server.call("POST", "/documents", token=self._token, body=body)
                self.sold += 1
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            self.failure = error


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
