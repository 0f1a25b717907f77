"""A shop with an environment of its own, whose plugins a test changes by the command line."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from installed import Environment


class PluginRoom:
    """An environment to spoil and a shop that is run by it."""

    def __init__(self, environment: Environment, folder: Path, **variables: str) -> None:
        self.environment = environment
        cache = {"XDG_CACHE_HOME": str(folder / "cache"), "DIANKU_LANGUAGE": "en"}
        self.shop = environment.shop(folder / "data", environ={**cache, **variables})

    def run(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run `dianku WORDS`."""
        return subprocess.run(
            [*self.shop.command, *words],
            env=self.shop.environ,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            **more,
        )

    def done(self, *words: str) -> str:
        """What a command that must succeed says, on both outputs."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def refused(self, *words: str, code: int = 1) -> str:
        """What a command that must refuse says; nothing of the environment was changed."""
        before = self.digest()
        done = self.run(*words)
        assert done.returncode == code, done.stdout + done.stderr
        assert self.digest() == before
        return done.stdout + done.stderr

    def unchanged(self, *words: str) -> str:
        """What a command says that succeeds without changing the environment."""
        return self.refused(*words, code=0)

    def plugins(self, *options: str) -> dict[str, dict[str, Any]]:
        """What `dianku plugin list --json` says, by name."""
        rows = json.loads(self.shop.run(*options, "plugin", "list", "--json"))
        return {row["name"]: row for row in rows}

    def digest(self) -> str:
        """Of every file in `site-packages`, what Python compiles by itself left out."""
        found = hashlib.sha256()
        for path in sorted(self.environment.packages.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                found.update(str(path.relative_to(self.environment.packages)).encode())
                found.update(hashlib.sha256(path.read_bytes()).digest())
        return found.hexdigest()
