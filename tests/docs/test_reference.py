"""The reference lists what the code has: it is made from it, and is not behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dianku.errors import STATUS
from dianku.hooks.kinds import HOOKS
from dianku.settings.kernel import KERNEL_SECTIONS

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "reference.md").read_text(encoding="utf-8")


def test_reference_is_what_the_code_makes() -> None:
    command = [sys.executable, str(DOCS / "make_reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_reference_lists_every_problem_hook_and_setting() -> None:
    assert [code for code in STATUS if f"| `{code}` |" not in TEXT] == []
    assert [name for name in HOOKS if f"| `{name}(" not in TEXT] == []
    names = [f"{s.name}.{field}" for s in KERNEL_SECTIONS for field in s.fields]
    assert [name for name in names if f"| `{name}` |" not in TEXT] == []
