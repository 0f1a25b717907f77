"""A shop as its owner runs it: `dianku init`, `dianku token create`, `dianku serve`, over HTTP.

For tests of what only whole processes can show: many at once, kill -9, start again. Every process
is started in a session of its own and ended by its own number.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dianku.testing.runs import forget_process, note_process

KIT = Path(__file__).parent
DIANKU = (sys.executable, "-c", "from dianku_cli.main import main; main()")
"""The command `dianku` of the interpreter that runs the tests."""


class ShopFolder:
    """A data folder (and a database, where it is not the embedded one) with its settings."""

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str | None = None,
        command: Sequence[str] = DIANKU,
    ) -> None:
        """`command` is the `dianku` to run: that of another environment, say."""
        self.command = tuple(command)
        self.folder = folder
        self.database_url = database_url
        self.environ = {**os.environ, "DIANKU_DATA": str(folder)}
        self.environ.pop("PYTHONWARNINGS", None)
        if database_url is not None:
            self.environ["DIANKU_DATABASE"] = database_url

    def run(self, *words: str, check: bool = True) -> str:
        """Run `dianku WORDS`; its standard output. Raises `AssertionError` when it fails."""
        done = subprocess.run(
            [*self.command, *words],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"dianku {' '.join(words)}: {done.returncode}\n{done.stderr}")
        return done.stdout

    def init(self, *, store: str = "S1", timezone: str = "Asia/Shanghai") -> None:
        """Set the shop up with one store."""
        self.run("init", "--store", store, "--timezone", timezone)

    def token(self, name: str, *, role: str = "owner") -> str:
        """A new token."""
        return self.run("token", "create", "--name", name, "--role", role).strip()

    def verify(self) -> dict[str, Any]:
        """What `dianku ledger verify --json` finds."""
        found: dict[str, Any] = json.loads(self.run("ledger", "verify", "--json", check=False))
        return found


class Server:
    """One `dianku serve --port 0`."""

    def __init__(
        self, shop: ShopFolder, *, words: Sequence[str] = (), before: Sequence[str] = ()
    ) -> None:
        """`before` goes in front of the command: `strace -f ...`."""
        self._log = (shop.folder.parent / f"serve-{os.urandom(4).hex()}.log").open("wb")
        self._process = subprocess.Popen(
            [*before, *shop.command, "serve", "--port", "0", *words],
            env=shop.environ,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )
        note_process(self._process.pid)

    @cached_property
    def url(self) -> str:
        """Where it answers, as soon as it says so: several may be started before one is asked."""
        return self._listening()

    def _listening(self) -> str:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            line = raw.decode().strip()
            if line.startswith("listening on http"):
                return line.removeprefix("listening on ")
        raise AssertionError(f"dianku serve ended without listening:\n{self.log}")

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has said on standard error so far."""
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.url.partition("://")[2].rpartition(":")
        return host, int(port)

    @property
    def plain_url(self) -> str:
        """Beside HTTPS, the address without it; empty where there is none."""
        found = re.search(r"http://[^/\s]+", self.log) if self.url.startswith("https:") else None
        return found[0] if found is not None else ""

    def kill(self) -> None:
        """End it and its workers without a word: kill -9 to the session it leads."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=30)
        self._ended()

    def stop(self) -> None:
        """Ask it to end, as Ctrl-C does; insist when it does not."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()
        self._ended()

    def _ended(self) -> None:
        forget_process(self._process.pid)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def call(self, method: str, path: str, *, token: str, body: Any = None) -> Any:
        """One request under `/api/v1`; the decoded answer. Raises `AssertionError` on a refusal."""
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()!r}") from error

    def target(self, token: str) -> dict[str, Any]:
        """What the load generator needs to send here."""
        host, port = self.address
        return {"host": host, "port": port, "token": token}


def load(spec: dict[str, Any], *, timeout: float = 300) -> dict[str, Any]:
    """Run the load generator to its end."""
    done = subprocess.run(
        [sys.executable, str(KIT / "http_load.py")],
        input=json.dumps(spec),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


class LoadRun:
    """The load generator running while the test does something to the server."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(KIT / "http_load.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        self._process.stdin.write(json.dumps({**spec, "announce": True}))
        self._process.stdin.close()
        self._process.stdin = None
        assert self._process.stderr.readline() == "ready\n"

    def wait_for_answers(self, count: int) -> None:
        """Return once so many answers have come (or the load is done): `announce_every`."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.startswith("answered ") and int(line.split()[1]) >= count:
                return

    def result(self) -> dict[str, Any]:
        """What it says when it is done."""
        out, err = self._process.communicate(timeout=120)
        assert self._process.returncode == 0, err
        found: dict[str, Any] = json.loads(out)
        return found
