"""The scripts of a bundle as a shell reads them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bundled import copied_bundle, copied_installation
from installed import ROOT

from dianku.testing.required import absent

SCRIPTS = sorted((ROOT / "cli" / "dianku_cli" / "assembly" / "files").glob("*.sh"))


def test_folder_of_a_script_is_its_own_whatever_cdpath_says(tmp_path: Path) -> None:
    """Or else another bundle would be installed, and another installation removed."""
    copied_bundle(tmp_path)
    opt = copied_installation(tmp_path / "opt", tmp_path / "data")
    (tmp_path / "other" / "bundle").mkdir(parents=True)
    for cdpath in (f"{tmp_path}/other", "."):
        words = ["sh", "bundle/install.sh", "--python", sys.executable, "--prefix", "a blank"]
        done = subprocess.run(
            words,
            cwd=tmp_path,
            env={**os.environ, "LANG": "C.UTF-8", "CDPATH": cdpath},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "use letters, digits" in done.stderr) == (1, True), done.stderr
    subprocess.run(
        ["sh", "opt/uninstall.sh", "--unit-dir", str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"CDPATH": "."},
        capture_output=True,
        check=True,
    )
    assert not opt.exists()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_is_one_that_every_shell_reads(script: Path) -> None:
    subprocess.run(["sh", "-n", str(script)], check=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shellcheck = shutil.which("shellcheck", path=path)
    if shellcheck is None:
        absent("shellcheck", "it is not on PATH")
    done = subprocess.run([shellcheck, str(script)], check=False, capture_output=True, text=True)
    assert done.stdout == ""
