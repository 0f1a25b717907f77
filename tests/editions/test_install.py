"""An edition is what its manifest says, and one line installs it from an export of the commit."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from types import ModuleType

import pytest
from bundled import write_third_party
from installed import build_wheel, required_by

from dianku.testing.required import absent

ROOT = Path(__file__).parents[2]


def load_compiler() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compile", ROOT / "editions" / "compile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_made_from_the_manifests_is_not_stale() -> None:
    compiler = load_compiler()
    files = compiler.wanted_files()
    assert {path.name for path in files} >= {"basic.txt", "intermediate.txt", "advanced.txt"}
    assert compiler.stale(files) == []


def test_third_party_gets_its_distribution_from_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_third_party(tmp_path)
    monkeypatch.setattr(sys, "argv", ["compile.py", str(manifest)])
    assert load_compiler().main() == 0
    wheel = build_wheel(tmp_path, tmp_path / "dist")
    assert wheel.name == "dianku_corner-2.0-py3-none-any.whl"
    assert "dianku-loyalty==1.3" in required_by(wheel)
    assert "-e ./core" in (tmp_path / "corner.txt").read_text(encoding="utf-8")
    manifest.write_text("extends = 'basis'\n" + manifest.read_text(encoding="utf-8"))
    assert load_compiler().main() == 1
    assert str(manifest) in capsys.readouterr().err


def test_constraints_hold_exact_versions_and_no_addresses() -> None:
    text = (ROOT / "editions" / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) > 20
    assert [line for line in lines if line.count("==") != 1] == []
    assert "://" not in text


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """The tree of the commit with what is changed in it, without its history."""
    if not (ROOT / ".git").exists():
        absent("history", "there is none to export from")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).exists():
                tar.add(ROOT / name, name)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as tar:
        tar.extractall(tmp_path / "export", filter="data")
    return tmp_path / "export"


@pytest.mark.timeout(300)
def test_install_of_the_basic_edition_in_a_fresh_environment_gives_the_command(
    export: Path, tmp_path: Path
) -> None:
    environment = tmp_path / "fresh"
    venv.create(environment, with_pip=True)
    binaries = environment / ("Scripts" if os.name == "nt" else "bin")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DIANKU", "PIP_"))}
    pip = [str(binaries / "python"), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "install", "--quiet", "-r", "editions/basic.txt"], cwd=export, env=clean, check=True
    )
    shown = subprocess.run(
        [str(binaries / "dianku"), "--help"], env=clean, check=True, capture_output=True, text=True
    )
    assert "dianku" in shown.stdout
    listed = subprocess.run(
        [*pip, "list", "--format=freeze"], env=clean, check=True, capture_output=True, text=True
    ).stdout.split()
    installed = [line for line in listed if not line.startswith(("pip=", "setuptools="))]
    print(f"{len(installed)} distributions in the basic edition, {sys.version_info[:2]}")
    assert len(installed) < 40
    held = (ROOT / "editions" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert {line for line in installed if not line.startswith("dianku")} <= set(held)
