"""`serve` and `demo` as processes: the line they print, how they stop, what they say no to."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx2 as httpx
import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., AbstractContextManager[str]]


def test_serve_on_a_free_port_answers_at_the_address_it_prints(serving: Serve) -> None:
    with serving() as address:
        assert httpx.get(f"{address}/healthz").status_code == 200
        assert httpx.get(f"{address}/readyz").status_code == 200


def test_serve_after_a_kill_starts_again(
    serving: Serve, surroundings: dict[str, str], tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dianku_cli", "serve", "--port", "0"],
        env=surroundings,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert any("listening on" in line for line in process.stdout)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with serving() as address:
        assert httpx.get(f"{address}/readyz").status_code == 200


def test_serve_on_a_port_in_use_says_so(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("serve", "--port", port)
    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("more", [("--plain-port", "0"), ("--https-name", "till.local")])
def test_serve_told_of_https_without_it_is_wrong_usage(run: Run, more: tuple[str, ...]) -> None:
    done = run("serve", "--port", "0", *more)
    assert done.returncode == 2
    assert "--https" in done.stderr


def test_serve_with_the_plain_port_in_use_says_which_option(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        words = ("--https", "--host", "127.0.0.1", "--port", "0", "--plain-port", port)
        done = run("serve", *words)
    assert done.returncode == 1
    assert port in done.stderr
    assert "--plain-port" in done.stderr


def test_serve_with_workers_on_sqlite_is_refused(run: Run) -> None:
    done = run("serve", "--port", "0", "--workers", "2")
    assert done.returncode == 1
    assert "PostgreSQL" in done.stderr


def test_demo_kept_in_a_folder_is_a_shop_with_sales(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    process = subprocess.Popen(
        [sys.executable, "-m", "dianku_cli", "demo", "--port", "0", "--keep", str(folder)],
        env=surroundings,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "listening on" in line:
            break
    try:
        address = re.search(r"listening on (\S+)", said)
        token = re.search(r"token (\S+)", said)
        assert address, said
        assert token, said
        headers = {"Authorization": f"Bearer {token[1]}"}
        stock = httpx.get(f"{address[1]}/api/v1/stock?limit=1000", headers=headers)
        assert any(row["sold_30d"] != "0" for row in stock.json()["items"])
        link = re.search(r"(\S+)/console/sign-in#name=(\S+)&password=(\S+)", said)
        assert link, said
        assert link[1] == address[1]
        person = {"name": link[2], "password": link[3]}
        assert httpx.post(f"{address[1]}/api/v1/sessions", json=person).json()["role"] == "owner"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert any(folder.iterdir())


def test_demo_without_keep_leaves_nothing_behind(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "dianku_cli", "demo", "--port", "0"],
        env=surroundings | {"TMPDIR": str(tmp_path / "temporary")},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert any("listening on" in line for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_demo_stopped_while_it_is_made_leaves_nothing_behind(
    number: signal.Signals, surroundings: dict[str, str], tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "dianku_cli", "demo", "--port", "0"],
        env=surroundings | {"TMPDIR": str(temporary)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background has SIGINT ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    while process.poll() is None and not list(temporary.glob("*/dianku.sqlite3")):
        pass
    process.send_signal(number)
    said, complained = process.communicate(timeout=60)
    assert "listening" not in said
    assert "Traceback" not in complained
    assert process.returncode != 0
    assert list(temporary.iterdir()) == []


def test_serve_with_no_plugins_runs_none(run: Run, serving: Serve) -> None:
    run("init")
    token = run("token", "create", "--name", "admin", "--role", "owner").stdout.strip()
    with serving("--no-plugins", "serve", "--port", "0") as address:
        headers = {"Authorization": f"Bearer {token}"}
        plugins = httpx.get(f"{address}/api/v1/plugins", headers=headers)
    assert not [each for each in json.loads(plugins.text)["items"] if each["status"] == "loaded"]


def test_serve_without_background_answers_and_leads_nothing(serving: Serve) -> None:
    with serving("serve", "--port", "0", "--no-background") as address:
        quiet = httpx.get(f"{address}/readyz").json()
    assert (quiet["ready"], quiet["leader"]) == (True, False)
    with serving("serve", "--port", "0") as address:
        assert httpx.get(f"{address}/readyz").json()["leader"]
