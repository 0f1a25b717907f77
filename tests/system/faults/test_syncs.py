"""Durable before answered (I8), seen from outside: every answer comes after a sync of its own.

The server runs under strace; what it asked of the system is read back in order. A kill cannot
show this (the page cache survives it), a power cut would.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from shop_goods import STORE, SWEET, open_for_sale, post_sale
from shop_server import Server, ShopFolder, load

from dianku.testing.required import absent

POSTS = 200

pytestmark = [pytest.mark.long("faults"), pytest.mark.timeout(300)]

_UNFINISHED = re.compile(r"^(\d+)\s+(\w+)\((.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+)\s+<\.\.\. (\w+) resumed>(.*)$")
_WHOLE = re.compile(r"^(\d+)\s+(\w+)\((.*)$")


class Call(NamedTuple):
    """One system call at the moment it began (a write) or returned (a read, a sync)."""

    name: str
    text: str


def calls(lines: Iterable[str]) -> Iterator[Call]:
    """Calls of a trace in the order that matters: a sync counts once it has returned.

    What is written is out as soon as the call begins, so a write counts when it begins.
    """
    begun: dict[str, str] = {}
    for line in lines:
        if found := _UNFINISHED.match(line):
            thread, name, text = found.groups()
            if name in _WRITES:
                yield Call(name, text)
            else:
                begun[thread] = text
        elif found := _RESUMED.match(line):
            thread, name, text = found.groups()
            if name not in _WRITES:
                yield Call(name, begun.pop(thread, "") + text)
        elif found := _WHOLE.match(line):
            yield Call(found.group(2), found.group(3))


_WRITES = frozenset({"write", "writev", "sendto", "sendmsg"})
_READS = frozenset({"read", "readv", "recvfrom", "recvmsg"})
_SYNCS = frozenset({"fsync", "fdatasync"})


def syncs_before_answers(trace: Iterable[Call]) -> list[int]:
    """For each post answered with 201: how many syncs returned between its request and answer."""
    found: list[int] = []
    asked, syncs = False, 0
    for call in trace:
        if call.name in _READS and "POST /api/v1/documents" in call.text:
            asked, syncs = True, 0
        elif call.name in _SYNCS and "= 0" in call.text:
            syncs += 1
        elif call.name in _WRITES and asked and "HTTP/1.1 201" in call.text:
            found.append(syncs)
            asked = False
    return found


def test_posts_one_after_the_other_each_synced_before_its_answer(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        absent("strace", "strace is not installed (Debian: apt-get install strace)")
    (folder := tmp_path / "shop").mkdir()
    shop = ShopFolder(folder)
    shop.init(store=STORE)
    token = shop.token("till")
    with Server(shop) as server:
        open_for_sale(server, token)
    trace = tmp_path / "trace"
    names = ",".join(sorted(_WRITES | _READS | _SYNCS))
    before = [strace, "-f", "-s", "64", "-e", f"trace={names}", "-o", str(trace)]
    with Server(shop, before=before) as server:
        requests = [post_sale(f"one-{i}", SWEET) for i in range(POSTS)]
        spec = {
            "mode": "list",
            "targets": [server.target(token)],
            "connections": 1,
            "requests": requests,
        }
        answers = load(spec)["answers"]
    assert [answer["status"] for answer in answers] == [201] * POSTS
    counts = syncs_before_answers(calls(trace.read_text(errors="replace").splitlines()))
    print(f"{POSTS} posts, {sum(counts)} syncs before their answers, fewest {min(counts)}")
    assert len(counts) == POSTS
    assert min(counts) >= 1
