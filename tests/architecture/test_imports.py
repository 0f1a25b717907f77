"""Who imports what: contracts hold, and what must be quick to import pulls in nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("sqlalchemy", "starlette", "alembic", "uvicorn", "pytest", "dianku_reports")


def modules_after(statement: str) -> set[str]:
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("statement", ["import dianku", "import dianku.errors, dianku.context"])
def test_import_of_the_root_package_is_light(statement: str) -> None:
    assert modules_after(statement) & set(HEAVY) == set()


def test_loading_the_pytest_plugin_imports_no_database() -> None:
    assert "sqlalchemy" not in modules_after("import dianku.testing.plugin")


def test_import_contracts_hold() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_plugins_import_only_the_api_and_the_test_kit() -> None:
    """Beside the contract, which names our plugins: this one finds them."""
    wrong = []
    for path in sorted((ROOT / "plugins").glob("*/dianku_*/**/*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            words = line.split()
            inside = words[:1] in (["from"], ["import"]) and words[1].startswith("dianku.")
            if inside and not words[1].startswith(("dianku.api", "dianku.testing")):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert wrong == []


def test_tables_import_no_database_of_one_kind() -> None:
    """Only `storage` knows which database there is."""
    wrong = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "core" / "dianku").rglob("*.py"))
        if "storage" not in path.parts
        and "testing" not in path.parts
        and any(w in path.read_text(encoding="utf-8") for w in ("import sqlite3", "import psycopg"))
    ]
    assert wrong == []
