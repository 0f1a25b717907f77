"""Bundles as `dianku edition build` makes them, built once a run, and folders of third parties.

The first bundle takes the wheels of others from the index; every later one takes them from it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from installed import ROOT

from dianku.testing.runs import folder_of_run
from dianku_cli.assembly.bundle import SUFFIX, WHEELS

FIRST = "basic"


def bundle_of(edition: str) -> Path:
    """The unpacked bundle of one of our editions: copy it before changing it."""
    folder = folder_of_run() / "bundles" / edition
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not folder.exists():
            beside = folder.with_suffix(".part")
            shutil.rmtree(beside, ignore_errors=True)
            wheels = None if edition == FIRST else bundle_of(FIRST) / WHEELS
            unpack(build_bundle(edition, beside, wheels=wheels))
            beside.rename(folder)
    [found] = [path for path in folder.iterdir() if path.is_dir()]
    return found


def archive_of(edition: str) -> Path:
    """The archive of the same bundle."""
    folder = bundle_of(edition)
    return folder.with_name(folder.name + SUFFIX)


def unpack(archive: Path) -> Path:
    """Unpack an archive beside itself, with the tool that whoever gets it has."""
    subprocess.run(["tar", "-xzf", archive.name], cwd=archive.parent, check=True)
    return archive.with_name(archive.name.removesuffix(SUFFIX))


def build_bundle(
    wanted: str,
    into: Path,
    *,
    wheels: Path | None = None,
    source: Path = ROOT,
    environ: Mapping[str, str] | None = None,
    umask: int = 0o022,
) -> Path:
    """Run `dianku edition build` in a clone; the archive it made."""
    done = dianku_build(
        wanted, into, wheels=wheels, source=source, environ=environ or {}, umask=umask
    )
    if done.returncode != 0:
        raise AssertionError(f"no bundle of {wanted}:\n{done.stderr}")
    return Path(done.stdout.splitlines()[0])


def dianku_build(
    wanted: str,
    into: Path,
    *,
    wheels: Path | None = None,
    source: Path = ROOT,
    environ: Mapping[str, str] | None = None,
    umask: int = 0o022,
) -> subprocess.CompletedProcess[str]:
    """Run `dianku edition build`, which may refuse."""
    words = ["--wheels", str(wheels)] if wheels is not None else []
    command = [sys.executable, "-m", "dianku_cli", "--language", "en", "edition", "build"]
    return subprocess.run(
        [*command, wanted, "--out", str(into), *words],
        cwd=source,
        env={**os.environ, **(environ or {})},
        umask=umask,
        check=False,
        capture_output=True,
        text=True,
    )


def write_third_party(folder: Path) -> Path:
    """A third party's edition `corner` with its plugin `loyalty` beside it; its manifest.

    The plugin requires `stamps`, somebody else's distribution, which `wheels_with` brings.
    """
    files = {
        "constraints.txt": "stamps==4.2\n",
        "edition.toml": 'name = "corner"\nextends = "basic"\nversion = "2.0"\n'
        'required = [\n    "loyalty",\n]\n\n[title]\nzh = "街角版"\nen = "Corner"\n',
        "loyalty/pyproject.toml": '[project]\nname = "dianku-loyalty"\nversion = "1.3"\n'
        'license = "MIT"\nrequires-python = ">=3.11"\n'
        'dependencies = ["dianku-core>=0.1,<0.2", "stamps"]\n\n'
        '[project.entry-points."dianku.plugins"]\nloyalty = "dianku_loyalty"\n\n'
        '[build-system]\nrequires = ["uv_build>=0.9,<1"]\nbuild-backend = "uv_build"\n\n'
        '[tool.uv.build-backend]\nmodule-name = "dianku_loyalty"\nmodule-root = ""\n',
        "loyalty/dianku_loyalty/__init__.py": '"""Stamps on a card."""\n',
        "loyalty/dianku_loyalty/plugin.toml": 'name = "loyalty"\ncore = ">=0.1,<0.2"\n'
        'requires = [\n    "reports",\n]\ntitle = { zh = "集点", en = "Loyalty" }\n',
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "edition.toml"


def wheels_with(folder: Path) -> Path:
    """A folder with the wheels of others that basic needs, and with `stamps`."""
    shutil.copytree(bundle_of(FIRST) / WHEELS, folder, copy_function=os.link)
    info = "stamps-4.2.dist-info"
    texts = {
        "METADATA": "Metadata-Version: 2.1\nName: stamps\nVersion: 4.2\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "".join(f"{info}/{name},,\n" for name in ("METADATA", "WHEEL", "RECORD")),
    }
    with zipfile.ZipFile(folder / "stamps-4.2-py3-none-any.whl", "w") as archive:
        for name, text in texts.items():
            archive.writestr(f"{info}/{name}", text)
    return folder


def install(
    folder: Path, *words: str, before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the `install.sh` of an unpacked bundle with an empty home, so without any cache."""
    home = folder_of_run() / "empty-home"
    home.mkdir(exist_ok=True)
    environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [*before, "sh", str(folder / "install.sh"), "--python", sys.executable, *words],
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert list(home.iterdir()) == []
    return done


def without_network() -> list[str]:
    """What runs a command as an ordinary person without a network; empty where that cannot be."""
    words = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--net"]
    if shutil.which("unshare") is None:
        return []
    allowed = subprocess.run([*words, "true"], check=False, capture_output=True).returncode == 0
    return words if allowed else []


def installation() -> Path:
    """The prefix of an installation of basic, made once a run; its data is beside it."""
    prefix = folder_of_run() / "installation" / "opt"
    prefix.parent.mkdir(parents=True, exist_ok=True)
    with prefix.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not prefix.exists():
            data = prefix.with_name("data")
            words = ["--prefix", str(prefix), "--data", str(data), "--no-account", "--no-service"]
            done = install(bundle_of(FIRST), *words, before=without_network())
            if done.returncode != 0:
                shutil.rmtree(prefix, ignore_errors=True)
                raise AssertionError(f"not installed:\n{done.stdout}\n{done.stderr}")
    return prefix


def rewrite(path: Path, content: bytes) -> None:
    path.unlink()  # a link to the bundle that other tests use
    path.write_bytes(content)


def copied_bundle(to: Path) -> Path:
    """A bundle to spoil."""
    folder = to / "bundle"
    shutil.copytree(bundle_of("basic"), folder, copy_function=os.link)
    return folder


def copied_installation(prefix: Path, data: Path) -> Path:
    """An installation to spoil, whose data is elsewhere than that of the one copied."""
    shutil.copytree(installation(), prefix, symlinks=True, copy_function=os.link)
    rewrite(prefix / "dianku.env", f"DIANKU_DATA={data}\n".encode())
    return prefix
