"""Uploads for which there is no room: on the disk, or within the limit."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

import pytest
from photos import png
from starlette.testclient import TestClient


def test_upload_for_which_the_disk_has_no_room_is_told_to_come_again(
    client: TestClient, token: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    headers = {"authorization": f"Bearer {token()}", "accept-language": "en"}
    picture = {"file": ("a.png", png(3, 2))}
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        answer = client.post("/api/v1/attachments", files=picture, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_full")
    assert int(answer.headers["retry-after"]) > 0
    again = client.post("/api/v1/attachments", files=picture, headers=headers)
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers


def test_file_that_is_too_large_is_told_the_limit_with_its_unit(
    client: TestClient, token: Callable[..., str]
) -> None:
    headers = {"authorization": f"Bearer {token()}", "accept-language": "en"}
    large = {"file": ("a.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 10_000_000)}
    answer = client.post("/api/v1/attachments", files=large, headers=headers)
    assert answer.status_code == 413
    assert "10000000 bytes" in answer.json()["detail"]
