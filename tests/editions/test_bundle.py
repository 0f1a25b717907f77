"""The bundle of an edition: the same bytes out of every clone, complete, and accounted for."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from bundled import (
    archive_of,
    build_bundle,
    bundle_of,
    dianku_build,
    unpack,
    wheels_with,
    write_third_party,
)
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from installed import ROOT

from dianku.testing.required import absent
from dianku_cli.assembly.bundle import WHEELS, open_bundle, platform_tag, python_tag, sha256_of
from dianku_cli.assembly.wheels import Wheel

pytestmark = pytest.mark.timeout(300)  # whoever is first builds and installs for all


def git(*words: str) -> str:
    if not (ROOT / ".git").exists():
        absent("history", "these sources have none")
    done = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.long("full")
def test_two_clones_of_one_commit_build_the_same_bytes(tmp_path: Path) -> None:
    commit = git("rev-parse", "HEAD")
    built: list[Path] = []
    for name, umask, zone, touched in (
        ("first", 0o022, "Asia/Shanghai", 1_000_000_000),
        ("a second/further down", 0o077, "America/Lima", 1_600_000_000),
    ):
        clone = tmp_path / name
        before = os.umask(umask)
        try:
            # The second by somebody whose git writes lines as Windows has them.
            own = ["--config", "core.autocrlf=true"] if built else []
            git("clone", "--quiet", *own, str(ROOT), str(clone))
        finally:
            os.umask(before)
        for path in clone.rglob("*"):
            os.utime(path, (touched, touched))
        wheels = bundle_of("basic") / WHEELS
        out = tmp_path / f"out-{umask}"
        built.append(
            build_bundle(
                "basic", out, wheels=wheels, source=clone, environ={"TZ": zone}, umask=umask
            )
        )
    assert sha256_of(built[0]) == sha256_of(built[1])
    with tarfile.open(built[0]) as archive:
        times = {member.mtime for member in archive}
        facts = archive.extractfile(f"{built[0].name.removesuffix('.tar.gz')}/bundle.toml")
        assert facts is not None
        assert tomllib.loads(facts.read().decode())["commit"] == commit
    # The commit's and not the clock's: so builds that lie minutes apart are the same too.
    assert times == {int(git("log", "-1", "--format=%ct"))}


def test_own_wheels_bear_no_time_of_the_build() -> None:
    own = list((bundle_of("basic") / WHEELS).glob("dianku_*.whl"))
    assert len(own) == 5
    for path in own:
        with zipfile.ZipFile(path) as archive:
            assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            modes = {oct(one.external_attr >> 16 & 0o777) for one in archive.infolist()}
        assert modes <= {"0o644", "0o755"}


def test_bundle_says_what_it_is_for_and_names_it() -> None:
    folder = bundle_of("basic")
    assert folder.name == f"dianku-basic-0.1.0-{python_tag()}-{platform_tag()}"
    with open_bundle(archive_of("basic")) as bundle:
        assert bundle.facts.commit.startswith(git("rev-parse", "HEAD"))
        assert set(bundle.facts.files) >= {
            "Dockerfile",
            "README.txt",
            "dianku.service",
            "install.sh",
            "requirements.txt",
            "sbom.cdx.json",
            "uninstall.sh",
        }
    size = archive_of("basic").stat().st_size
    print(f"the bundle of basic: {size / 1e6:.1f} MB, {len(bundle.facts.files)} files")
    assert size < 40_000_000


def test_requirements_name_every_wheel_with_its_hash() -> None:
    folder = bundle_of("basic")
    wheels = [Wheel(path) for path in sorted((folder / WHEELS).iterdir())]
    wanted = {f"{one.name}=={one.version} --hash=sha256:{one.sha256}" for one in wheels}
    assert set((folder / "requirements.txt").read_text().splitlines()) == wanted
    names = {one.key for one in wheels}
    assert names >= {"dianku-basic", "dianku-core", "dianku-cli", "psycopg", "psycopg-binary"}
    assert names & {"pytest", "uv-build", "cyclonedx-python-lib", "dianku-intermediate"} == set()


def test_versions_in_a_bundle_are_those_that_were_tested_together() -> None:
    held = (ROOT / "editions" / "constraints.txt").read_text(encoding="utf-8").lower()
    pinned = {line.replace("_", "-").replace(".", "-") for line in held.splitlines()}
    for path in (bundle_of("basic") / WHEELS).iterdir():
        wheel = Wheel(path)
        version = wheel.version.replace(".", "-")
        assert wheel.key.startswith("dianku-") or f"{wheel.key}=={version}" in pinned


def test_bill_of_materials_keeps_to_the_official_schema() -> None:
    text = (bundle_of("basic") / "sbom.cdx.json").read_text(encoding="utf-8")
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    broken = json.loads(text)
    del broken["components"][0]["name"]
    assert validator.validate_str(json.dumps(broken)) is not None


def test_bill_of_materials_lists_every_wheel_with_hash_licence_and_requirements() -> None:
    folder = bundle_of("basic")
    bill = json.loads((folder / "sbom.cdx.json").read_text(encoding="utf-8"))
    listed = [bill["metadata"]["component"], *bill["components"]]
    wheels = [Wheel(path) for path in (folder / WHEELS).iterdir()]
    assert sorted(one["hashes"][0]["content"] for one in listed) == sorted(
        one.sha256 for one in wheels
    )
    licences = {one["name"].lower(): one["licenses"][0] for one in listed}
    assert licences["dianku-core"] == {"license": {"id": "Apache-2.0"}}
    assert licences["psycopg"] == {"license": {"id": "LGPL-3.0-only"}}
    assert licences["cryptography"] == {"expression": "Apache-2.0 OR BSD-3-Clause"}
    known = {name for name, said in licences.items() if "expression" in said}
    known |= {name for name, said in licences.items() if "id" in said.get("license", {})}
    unknown = licences.keys() - known
    print("no SPDX identifier:", sorted(unknown))
    # These say "BSD" without saying which of its kinds, in a classifier alone.
    assert unknown <= {"jinja2", "numpy", "segno"}
    needs = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    assert "dianku-reports==0.1.0" in needs["dianku-basic==0.1.0"]
    assert any(one.startswith("psycopg==") for one in needs["dianku-core==0.1.0"])


@pytest.mark.long("full")
def test_bundle_of_a_third_party_has_its_plugin_and_is_called_its_own(tmp_path: Path) -> None:
    manifest = write_third_party(tmp_path / "theirs")
    before = sorted(manifest.parent.rglob("*"))
    wheels = wheels_with(tmp_path / "wheels")
    archive = build_bundle(str(manifest), tmp_path / "out", wheels=wheels)
    assert archive.name.startswith("dianku-corner-2.0-")
    assert sorted(manifest.parent.rglob("*")) == before
    found = {Wheel(path).key for path in (unpack(archive) / WHEELS).iterdir()}
    assert found >= {"dianku-corner", "dianku-loyalty", "stamps", "dianku-basic", "dianku-reports"}


def test_versions_that_are_written_down_nowhere_are_told(tmp_path: Path) -> None:
    manifest = write_third_party(tmp_path / "theirs")
    manifest.with_name("constraints.txt").unlink()
    wheels = wheels_with(tmp_path / "wheels")
    done = dianku_build(str(manifest), tmp_path / "out", wheels=wheels)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("\nstamps==4.2")
    assert not (tmp_path / "out").exists()


def test_wheels_that_are_not_to_be_had_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    done = dianku_build("basic", tmp_path / "out", wheels=tmp_path / "none")
    assert done.returncode == 1
    assert "wheels could not be fetched; see to the network or --wheels" in done.stderr
    assert not (tmp_path / "out").exists()


def test_tools_of_other_versions_than_were_tested_are_told_with_what_to_install(
    tmp_path: Path,
) -> None:
    clone = tmp_path / "clone"
    for name in ("core", "cli", "plugins", "editions"):
        shutil.copytree(ROOT / name, clone / name)
    held = clone / "editions" / "constraints.txt"
    text = held.read_text(encoding="utf-8")
    held.write_text(re.sub("(?m)^uv_build==.*$", "uv_build==0.9.5", text), encoding="utf-8")
    done = dianku_build("basic", tmp_path / "out", wheels=bundle_of("basic") / WHEELS, source=clone)
    assert done.returncode == 1
    assert f"with uv-build {metadata.version('uv_build')} others would build another" in done.stderr
    assert 'pip install "uv-build==0.9.5"' in done.stderr
    assert not (tmp_path / "out").exists()


def test_installer_is_that_of_the_sources_and_not_of_what_builds(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git("clone", "--quiet", str(ROOT), str(clone))
    with (clone / "cli/dianku_cli/assembly/files/install.sh").open("a") as file:
        file.write("# of the clone\n")
    wheels = bundle_of("basic") / WHEELS
    archive = build_bundle("basic", tmp_path / "out", wheels=wheels, source=clone)
    folder = unpack(archive)
    assert (folder / "install.sh").read_text(encoding="utf-8").endswith("# of the clone\n")
    assert '+changed"' in (folder / "bundle.toml").read_text(encoding="utf-8")


def test_build_that_is_stopped_leaves_nothing_and_a_killed_one_until_the_next(
    tmp_path: Path,
) -> None:
    passing = tmp_path / "passing"
    passing.mkdir()
    words = ["edition", "build", "basic", "--out", str(tmp_path / "out"), "--wheels", str(passing)]
    environ = {**os.environ, "TMPDIR": str(passing), "DIANKU_LANGUAGE": "en"}
    for by in (signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen(
            [sys.executable, "-m", "dianku_cli", *words],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as building:
            assert building.stderr is not None
            while "dianku-reports" not in building.stderr.readline():
                pass
            building.send_signal(by)
        assert len(list(passing.iterdir())) == (by == signal.SIGKILL)
    dianku_build("basic", tmp_path / "out", wheels=passing, environ=environ)
    assert list(passing.iterdir()) == []
    assert not (tmp_path / "out").exists()
